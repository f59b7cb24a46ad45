"""The one reader of CSV tables."""

from pathlib import Path

import pytest

from cl_seg.files.csv_file import read_frame, read_table, write_table
from cl_seg.messages.errors import InputError


def table(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_bytes(text.encode())
    return path


def test_rows_know_their_line_and_drop_columns_nobody_asked_for(tmp_path: Path) -> None:
    path = table(tmp_path, '\ufeffa,born,b\r\n 1 ,1977,"x\n,y"\r\n,,\r\n2,,z\r\n')
    one, two = read_table(path, ["a", "b"], optional=["c"])
    assert dict(one) == {"a": "1", "b": "x\n,y", "c": ""} and dict(two)["b"] == "z"
    assert (one.where, two.where) == (f"{path}:3", f"{path}:5")  # a row ends on its last line
    assert str(two.error("b", "expected y")) == f"{path}:5: b: expected y"


def test_spreadsheets_may_save_semicolons_where_that_is_said(tmp_path: Path) -> None:
    path = table(tmp_path, "a;b\n1,5;x\n")
    (row,) = read_table(path, ["a", "b"], delimiters=",;")
    assert dict(row) == {"a": "1,5", "b": "x"}
    with pytest.raises(InputError, match=r"lacks the columns a, b.*a,b separated by commas"):
        read_table(path, ["a", "b"])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "lacks the columns a, b"),
        ("a\n", "lacks the column b: expected a first line a,b separated by commas"),
        ("a,b,b\n", "has the column b twice"),
        ("a,b,d\n", "has an unknown column 'd': .*optionally c; mend it"),
        ("a,b\n1\n", ":2: 1 entries, expected one per column .2."),
        ("a,b\n1,2,3\n", ":2: 3 entries, expected one per column .2."),
        ('a,b\n1,"2\n', "cannot be read as a CSV file in UTF-8: mend it"),
    ],
)
def test_each_fault_is_one_line(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault) as error:
        read_table(table(tmp_path, text), ["a", "b"], optional=["c"], exact=True, hint="mend it")
    assert "\n" not in str(error.value)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_table(path, ["a", "b"], [["x,y", 'say "z"'], [1, 2.5]])
    assert [tuple(row.values()) for row in read_table(path, ["a", "b"])] == [
        ("x,y", 'say "z"'),
        ("1", "2.5"),
    ]
    assert read_frame(path, ["a"], str, "")["b"].tolist() == ['say "z"', "2.5"]
    with pytest.raises(InputError, match="lacks the column c: compute it again"):
        read_frame(path, ["c"], str, "compute it again")

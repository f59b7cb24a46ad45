"""YAML and JSON: suites, alias tables, profiles, claims, stores and records of runs."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cl_seg.cli.console import escape_for_terminal
from tests.conftest import write_store
from tests.records.factory import NAIVE, write_run
from tests.scans.conftest import write_series

from .command import CommandLine

LAUGHS = "\n".join(
    ["a0: &a0 [x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 40)]
)
MERGES = "\n".join(
    ["a0: &a0 {x: 1}"]
    + [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 40)]
)
BROKEN_YAML: dict[str, tuple[bytes, str]] = {
    "nine laughs forty deep": (LAUGHS.encode(), "more than 20000 values"),
    "nine merges forty deep": (MERGES.encode(), "more than 20000 values"),
    "endless": (b"&a [*a]", "nested too deeply"),
    "3000 deep": (b"[" * 3000, "nested too deeply"),
    "3000 fields deep": (b"{a: " * 3000, "nested too deeply"),
    "a key twice": (b"x: 1\nx: 2\n", ":2: x is given twice"),
    "NUL": (b"x: \0\n", "check the YAML syntax"),
    "escape codes": (b"x: \x1b[2J\n", "check the YAML syntax"),
    "UTF-16": ("x: 1".encode("utf-16"), "not UTF-8 text"),
    "Latin-1": (b"x: M\xfcller", "not UTF-8 text"),
    "code": (b"x: !!python/object/apply:os.system [id]", "check the YAML syntax"),
    "an impossible date": (b"x: 2024-13-45", "check the YAML syntax"),
    "an endless number": (b"x: " + b"9" * 5000, "check the YAML syntax"),
    "a list as a key": (b"? [a]\n: 1\n", "a key must be a single word"),
    "two documents": (b"x: 1\n---\nx: 2\n", "check the YAML syntax"),
    "2 MB": (b"# " + b"x" * 2_000_000, "more than 1000000 characters"),
}
READERS: dict[str, tuple[str, ...]] = {
    "a suite": ("plan", "file.yaml"),
    "aliases": ("ingest", "dicom", "out.store", "--aliases", "file.yaml"),
    "claims": ("claims", "dicom", "--claims", "file.yaml"),
    "a profile": ("phantom", "simulate", "out.store", "--scanner", "file.yaml"),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", BROKEN_YAML)
def test_yaml_that_is_broken(name: str, reader: str, cl_seg: CommandLine, tmp_path: Path) -> None:
    content, says = BROKEN_YAML[name]
    write_series(tmp_path / "dicom", [0])
    (tmp_path / "file.yaml").write_bytes(content)
    line = cl_seg.refuses(says, *READERS[reader])
    assert "file.yaml" in line


@pytest.mark.parametrize("settings", ["[" * 3000, "2024-13-45", "{a: 1, a: 2}", "*a", "[1]", "\0"])
def test_settings_of_a_plugin_that_are_broken(settings: str, cl_seg: CommandLine) -> None:
    plugin = "cl_seg.strategies.l2.plugin:L2"
    cl_seg.refuses("--settings", "check-plugin", plugin, "--settings", settings)


PROFILE = Path(__file__).parents[2] / "cl_seg" / "phantom" / "profiles" / "siemens_like.yaml"


@pytest.mark.parametrize("value", [".nan", ".inf", "1e999", "[]", "{a: 1}", "soft"])
def test_numbers_of_a_profile_are_numbers(value: str, cl_seg: CommandLine, tmp_path: Path) -> None:
    lines = PROFILE.read_text().splitlines()
    (at,) = (i for i, line in enumerate(lines) if "hu_offset" in line)
    lines[at] = lines[at].split(":")[0] + f": {value}"
    (tmp_path / "mine.yaml").write_text("\n".join(lines))
    says = f"mine.yaml:{at + 1}: reconstruction.hu_offset: "
    cl_seg.refuses(says, "phantom", "simulate", "out.store", "--scanner", "mine.yaml")


SUITE = """kind: stream
name: tiny
data: {store: my.store}
image: {size: 32}
models: [{name: "tests.suite.tiny_network:build", learning_rate: 0.1}]
strategies: [naive]
training: {steps: 10}
"""
SUITES: dict[str, tuple[str, str, str]] = {
    "a name that climbs": ("name: tiny", "name: ../../tiny", "suite.yaml:2: name: "),
    "a label that climbs": ("{name: ", "{label: ../x, name: ", "suite.yaml:5: models.0.label: "),
    "a store with NUL": ("my.store", '"my\\0.store"', "is not a slice store"),
    "a profile with NUL": (
        "{store: my.store}",
        '{phantom: {scanners: ["a\\0.yaml"], own_bodies: 1, shared_bodies: 1}}',
        "expected a YAML file",
    ),
    "a module that climbs": ("tests.suite.", "../../tests/suite/", "there is no module"),
    "a module from the root": ("tests.suite.tiny_network", "/etc/x", "there is no module"),
    "steps without end": ("steps: 10", "steps: 1e999", "suite.yaml:7: training.steps: "),
    "steps of 400 digits": ("steps: 10", "steps: -" + "9" * 400, "training.steps: "),
    "a size of 400 digits": ("size: 32", "size: " + "9" * 400, "image.size"),
    "a window that is none": ("size: 32", "size: 32, window_hu: [.nan, 1]", "image.window_hu"),
    "a class with a slash": ("image:", "classes: [a/b]\nimage:", "has no class a/b"),
    "a store that is a link to itself": ("my.store", "loop.store", "is not a slice store"),
}


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_that_is_hostile(name: str, cl_seg: CommandLine, tmp_path: Path) -> None:
    old, new, says = SUITES[name]
    assert SUITE.count(old) == 1
    write_store(tmp_path / "my.store")
    (tmp_path / "loop.store").symlink_to("loop.store")
    (tmp_path / "suite.yaml").write_text(SUITE.replace(old, new))
    cl_seg.refuses(says, "plan", "suite.yaml")


@pytest.mark.parametrize(
    "source", ["-" * 9000 + "1", "(" * 500, "x = '\0'", "def", "\xff"], ids=range(5)
)
def test_a_module_that_is_no_python(source: str, cl_seg: CommandLine, tmp_path: Path) -> None:
    write_store(tmp_path / "my.store")
    (tmp_path / "odd_network.py").write_bytes(source.encode("latin-1"))
    text = SUITE.replace("tests.suite.tiny_network", "odd_network")
    (tmp_path / "suite.yaml").write_text(text)
    cl_seg.refuses(r"odd_network.py is no Python source", "plan", "suite.yaml")


def test_the_suite_itself_is_right(cl_seg: CommandLine, tmp_path: Path) -> None:
    write_store(tmp_path / "my.store")
    (tmp_path / "suite.yaml").write_text(SUITE)
    assert "1 run," in cl_seg.takes("plan", "suite.yaml")


BROKEN_JSON: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "Expecting value"),
    "a list": (b"[]", "damaged"),
    "a text": (b'"hello"', "damaged"),
    "a number": (b"1", "damaged"),
    "9000 deep": (b"[" * 9000, "nested too deeply"),
    "9000 fields deep": (b'{"a":' * 9000, "nested too deeply"),
    "NUL": (b'{"a": "\0"}', "control character"),
    "NaN": (b'{"a": NaN}', "NaN is no JSON"),
    "an endless number": (b'{"a": ' + b"9" * 5000 + b"}", "damaged"),
    "a key twice": (b'{"format": 1, "format": 1}', "format is given twice"),
    "UTF-16": ('{"format": 1}'.encode("utf-16"), "damaged"),
    "half of it": (b'{"format": 1, ', "damaged"),
}


def print_output_path(folder: Path) -> None:
    """A store, a model card and results, to be damaged."""
    write_store(folder / "my.store")
    (folder / "suite.yaml").write_text(SUITE)
    write_run(folder / "results", "Naive", NAIVE)
    (folder / "model").mkdir()


STORE, CARD, RECORD = "my.store/store.json", "model/card.json", "results/runs/Naive/run.json"
COMMANDS: dict[str, tuple[str, ...]] = {
    STORE: ("plan", "suite.yaml"),
    CARD: ("model", "show", "model"),
    RECORD: ("report", "results"),
    "results/plan.json": ("report", "results"),
    "packed/runs.jsonl": ("compare", "results", "packed"),
}


@pytest.mark.parametrize("file", COMMANDS)
@pytest.mark.parametrize("name", BROKEN_JSON)
def test_json_that_is_broken(name: str, file: str, cl_seg: CommandLine, tmp_path: Path) -> None:
    content, says = BROKEN_JSON[name]
    if (name, file) in {("a list", "results/plan.json"), ("nothing", "packed/runs.jsonl")}:
        pytest.skip("no runs are no damage")
    print_output_path(tmp_path)
    (tmp_path / "packed").mkdir()
    (tmp_path / file).write_bytes(content)
    if file == CARD and "damaged" in says:
        says = "save the model again"
    line = cl_seg.refuses(says, *COMMANDS[file])
    assert file in line


def in_json(file: str, *keys: str | int, value: Any) -> Callable[[Path], None]:
    """A JSON file with one value replaced."""

    def change(folder: Path) -> None:
        content = json.loads((folder / file).read_text())
        inner = content
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        (folder / file).write_text(json.dumps(content))

    return change


def table(file: str, **columns: Any) -> Callable[[Path], None]:
    """A parquet table with columns replaced, or dropped for None."""

    def change(folder: Path) -> None:
        found = pd.read_parquet(folder / file)
        for name, value in columns.items():
            found = found.drop(columns=name) if value is None else found.assign(**{name: value})
        found.to_parquet(folder / file, index=False)

    return change


def written(file: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / file).write_bytes(content) and None


def cut(file: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = (folder / file).read_bytes()
        (folder / file).write_bytes(content[: len(content) // 2])

    return change


def as_npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def as_zip(**content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as members:
        for name, data in content.items():
            members.writestr(name, data)
    return buffer.getvalue()


class Owned:
    """Leaves a file when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("owned"),)


SLICES, HU = "my.store/slices.parquet", "my.store/beta/hu.npy"
NPY_BOMB = b"\x93NUMPY\x01\x00" + struct.pack("<H", 60)
NPY_BOMB += b"{'descr': '<i2', 'fortran_order': False, 'shape': (9999999999,)}"[:60]
STORES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a scanner that climbs": (
        in_json(STORE, "scanners", value={"../../evil": "Evil"}),
        "store.json is damaged .scanners",
    ),
    "a class that climbs": (
        in_json(STORE, "classes", value=["muscle", "../x"]),
        "store.json is damaged .classes.1",
    ),
    "classes that are a word": (in_json(STORE, "classes", value="liver"), "classes: "),
    "a grid of a billion": (in_json(STORE, "grid", "size", value=10**9), "grid.size: "),
    "a grid of minus one": (in_json(STORE, "grid", "size", value=-1), "grid.size: "),
    "pixels of no size": (in_json(STORE, "grid", "spacing_mm", value=0), "grid.spacing_mm: "),
    "another version": (in_json(STORE, "format", value=99), "format 99, expected 2"),
    "half a table": (cut(SLICES), "slices.parquet is missing or damaged"),
    "an empty table": (written(SLICES, b""), "slices.parquet is missing or damaged"),
    "a table of pickles": (written(SLICES, pickle.dumps(Owned())), "slices.parquet is missing"),
    "no positions": (table(SLICES, z_mm=None), "slices.parquet lacks z_mm"),
    "positions in words": (table(SLICES, z_mm="top"), "holds no numbers in z_mm"),
    "patients in numbers": (table(SLICES, patient=7), "holds no text in patient"),
    "a scanner from nowhere": (table(SLICES, scanner="delta"), "has slices of delta"),
    "rows beyond the arrays": (table(SLICES, row=10**12), "does not number the slices of alpha"),
    "half an array": (cut(HU), "hu.npy is missing or damaged"),
    "an empty array": (written(HU, b""), "hu.npy is missing or damaged"),
    "an array of pickles": (
        written(HU, as_npy(np.array([Owned()], object))),
        "hu.npy is missing or damaged",
    ),
    "a pickle": (written(HU, pickle.dumps(Owned())), "hu.npy is missing or damaged"),
    "an archive": (written(HU, as_zip(x=b"hello")), "hu.npy is missing or damaged"),
    "an array without end": (written(HU, NPY_BOMB), "hu.npy is missing or damaged"),
    "an array of another shape": (written(HU, as_npy(np.zeros(3, np.int16))), r"int16 \(3,\)"),
    "an array of fractions": (written(HU, as_npy(np.zeros((18, 32, 32)))), "hu.npy is float64"),
}


@pytest.mark.parametrize("name", STORES)
def test_a_store_that_is_hostile(name: str, cl_seg: CommandLine, tmp_path: Path) -> None:
    change, says = STORES[name]
    print_output_path(tmp_path)
    change(tmp_path)
    line = cl_seg.refuses(says, "plan", "suite.yaml")
    assert "my.store/" in line and not (tmp_path / "owned").exists()


EXAMPLES, CASES = "results/runs/Naive/examples.npz", "results/runs/Naive/cases.parquet"


def picture_bomb(folder: Path) -> None:
    with zipfile.ZipFile(folder / EXAMPLES, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as members:
        for number in range(12):
            members.writestr(f"{number}.npy", bytes(100_000_000))


RESULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "no scores": (in_json(RECORD, "R", value={}), "run.json is damaged .R lacks liver"),
    "scores in words": (in_json(RECORD, "R", "mean", 0, 0, value="good"), "R.mean.0.0"),
    "a scanner too many": (in_json(RECORD, "spec", "order", value=["a", "b", "c"]), "R does not"),
    "no scanner": (in_json(RECORD, "spec", "order", value=[]), "spec.order"),
    "a seed in words": (in_json(RECORD, "spec", "seed", value="first"), "spec.seed"),
    "a place in words": (in_json(RECORD, "place", value="first"), "place"),
    "a nameless scanner": (in_json(RECORD, "scanner_names", value={}), "scanner_names lacks a"),
    "half of the scores": (cut(CASES), "cases.parquet is missing or damaged"),
    "no Dice": (table(CASES, dice=None), "cases.parquet lacks the column dice"),
    "half of the pictures": (cut(EXAMPLES), "examples.npz is missing or damaged"),
    "pictures that are a text": (written(EXAMPLES, b"hello"), "examples.npz is missing or damaged"),
    "pictures that are pickles": (
        written(EXAMPLES, as_zip(**{"a.npy": as_npy(np.array([Owned()], object))})),
        "examples.npz is missing or damaged",
    ),
    "pictures of a gigabyte": (picture_bomb, "examples.npz would take 1200000000 bytes"),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_that_are_hostile(name: str, cl_seg: CommandLine, tmp_path: Path) -> None:
    change, says = RESULTS[name]
    print_output_path(tmp_path)
    change(tmp_path)
    line = cl_seg.refuses(says, "report", "results")
    assert "Naive/" in line and not (tmp_path / "owned").exists()


def test_names_of_scanners_are_no_code_in_a_report(cl_seg: CommandLine, tmp_path: Path) -> None:
    print_output_path(tmp_path)
    names = {"a": "<script>alert(1)</script> $\\frac$", "b": "$x_{ & B | C"}
    in_json(RECORD, "scanner_names", value=names)(tmp_path)
    cl_seg.takes("report", "results")
    page = (tmp_path / "results" / "report.html").read_text()
    assert "<script>alert" not in page and "&lt;script&gt;" in page


def test_what_others_wrote_does_not_steer_the_terminal() -> None:
    assert escape_for_terminal("a\x1b[31m\udcfc\u202e[b]") == "a\\x1b[31m\\udcfc\\u202e\\[b]"
    assert escape_for_terminal("M\xfcller · 512² × 3\n") == "M\xfcller · 512² × 3\n"

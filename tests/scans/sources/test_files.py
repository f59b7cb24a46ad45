"""Searching a folder: links are followed once, in a fixed order, and never in circles.

Names almost like that of a missing file are told.
"""

from pathlib import Path

import pytest

from cl_seg.scans.series import Pseudonyms
from cl_seg.scans.sources.files import files_below, similar_file
from cl_seg.scans.sources.find import find_scans_in_source

from ..conftest import write_series


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def names(folder: Path) -> list[str]:
    files, closed = files_below(folder)
    assert closed == []
    return [path.relative_to(folder).as_posix() for path in files]


def test_without_links_it_is_every_file_in_order(tmp_path):
    touch(*(tmp_path / name for name in ("b/2", "b/10", "a", "B", ".c/x", "b-1", "b/c/d/e")))
    expected = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert files_below(tmp_path) == (expected, [])


def test_links_to_folders_and_files_elsewhere_are_followed(tmp_path):
    touch(tmp_path / "disk/p1/x", tmp_path / "disk/p1/deep/y", tmp_path / "in/z")
    (tmp_path / "in/p1").symlink_to("../disk/p1")
    (tmp_path / "in/one").symlink_to("../disk/p1/x")
    (tmp_path / "in/gone").symlink_to("nowhere")
    assert names(tmp_path / "in") == ["one", "p1/deep/y", "p1/x", "z"]
    (tmp_path / "link").symlink_to("in")
    assert names(tmp_path / "link") == names(tmp_path / "in")


def test_loops_and_links_to_what_is_above_end(tmp_path):
    touch(tmp_path / "secret", tmp_path / "in/a/x", tmp_path / "in/b/y", tmp_path / "out/z")
    for link, target in {
        "in/a/up": "..", "in/a/b": "../b", "in/b/a": "../a", "in/self": "self", "in/top": "/",
        "in/above": "../..", "in/beside": "..", "in/out": "../out", "out/back": "../in",
        "out/self": "../out",
    }.items():  # fmt: skip
        (tmp_path / link).symlink_to(target)
    assert names(tmp_path / "in") == ["a/x", "b/y", "out/z"]


def test_a_folder_is_named_by_its_own_path_whatever_links_to_it(tmp_path):
    touch(tmp_path / "in/m/x", tmp_path / "disk/y")
    (tmp_path / "in/a").symlink_to("m")
    (tmp_path / "in/z").symlink_to("../disk")
    (tmp_path / "in/y").symlink_to("../disk")
    assert names(tmp_path / "in") == ["m/x", "y/y"]


def test_of_an_annex_only_the_links_are_read(tmp_path):
    touch(tmp_path / ".git/annex/objects/k/k")
    (tmp_path / "x.dcm").symlink_to(".git/annex/objects/k/k")
    assert names(tmp_path) == ["x.dcm"]


def test_a_folder_that_cannot_be_opened_is_listed(tmp_path):
    touch(tmp_path / "a/x", tmp_path / "b/y")

    class Closed(type(tmp_path)):  # root may open anything
        def iterdir(self):
            if self.name == "a":
                raise PermissionError(13, "Permission denied")
            return super().iterdir()

    files, (closed,) = files_below(Closed(tmp_path))
    assert [path.name for path in files] == ["y"]
    assert (closed.path.name, closed.reason) == ("a", "cannot be opened: Permission denied")


@pytest.mark.parametrize("source", ["in", "scans.csv"])
def test_a_study_of_links_is_found_whole(tmp_path, source):
    write_series(tmp_path / "disk/p1/ct", patient="p1")
    write_series(tmp_path / "disk/p2", patient="p2", series="s2")
    (tmp_path / "in/p2").mkdir(parents=True)
    (tmp_path / "in/p1").symlink_to(tmp_path / "disk/p1")
    (tmp_path / "in/p2/ct").symlink_to(tmp_path / "disk/p2")
    lines = "image,labels,patient,scanner", "in/p1,,,", "in/p2,,,"
    (tmp_path / "scans.csv").write_text("\n".join(lines))
    found = find_scans_in_source(tmp_path / source, ["liver"], Pseudonyms(b"test"), False)
    assert [scan.series.n_slices for scan in found.scans] == [3, 3]
    assert sorted(str(scan.series.path.relative_to(tmp_path)) for scan in found.scans) == [
        "in/p1/ct", "in/p2/ct",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "there",
    ["case_001.nii", "case_001_seg.nii.gz", "case_001.seg.nrrd", "Case-001.nii", "case001.nii.gz",
     "case_001-label.nrrd", "case_001.mha", "case.nii.gz"],
)  # fmt: skip
def test_a_file_that_may_be_meant_is_named(tmp_path, there):
    (tmp_path / there).write_bytes(b"")
    (tmp_path / "case_002.nii.gz").write_bytes(b"")
    assert similar_file(tmp_path / "case_001.nii.gz") == (
        f", but there is {there}: save it as case_001.nii.gz if it is that"
    )


@pytest.mark.parametrize(
    "there", ["case_002.nii.gz", "case_0010.nii.gz", "._case_001.nii", "liver.nii.gz"]
)
def test_other_files_are_not(tmp_path, there):
    (tmp_path / there).write_bytes(b"")
    assert similar_file(tmp_path / "case_001.nii.gz") == ""
    assert similar_file(tmp_path / "gone" / "case_001.nii.gz") == ""


def test_what_differs_from_case_to_case_is_one_reason(tmp_path):
    texts = set()
    for case in ("liver_1", "liver_2"):
        (tmp_path / f"{case}_seg.nii.gz").write_bytes(b"")
        texts.add(similar_file(tmp_path / f"{case}.nii.gz", case))
    assert texts == {", but there is CASE_seg.nii.gz: save it as CASE.nii.gz if it is that"}

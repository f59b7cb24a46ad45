"""What lies beside a missing file and may be meant."""

import pytest

from cl_seg.scans.beside import beside


@pytest.mark.parametrize(
    "there",
    ["case_001.nii", "case_001_seg.nii.gz", "case_001.seg.nrrd", "Case-001.nii", "case001.nii.gz",
     "case_001-label.nrrd", "case_001.mha", "case.nii.gz"],
)  # fmt: skip
def test_a_file_that_may_be_meant_is_named(tmp_path, there):
    (tmp_path / there).write_bytes(b"")
    (tmp_path / "case_002.nii.gz").write_bytes(b"")
    assert beside(tmp_path / "case_001.nii.gz") == (
        f", but there is {there}: save it as case_001.nii.gz if it is that"
    )


@pytest.mark.parametrize(
    "there", ["case_002.nii.gz", "case_0010.nii.gz", "._case_001.nii", "liver.nii.gz"]
)
def test_other_files_are_not(tmp_path, there):
    (tmp_path / there).write_bytes(b"")
    assert beside(tmp_path / "case_001.nii.gz") == ""
    assert beside(tmp_path / "gone" / "case_001.nii.gz") == ""


def test_what_differs_from_case_to_case_is_one_reason(tmp_path):
    texts = set()
    for case in ("liver_1", "liver_2"):
        (tmp_path / f"{case}_seg.nii.gz").write_bytes(b"")
        texts.add(beside(tmp_path / f"{case}.nii.gz", case))
    assert texts == {", but there is CASE_seg.nii.gz: save it as CASE.nii.gz if it is that"}

"""What can be HU is taken, whatever its padding, noise and window; other scales are told."""

import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cl_seg.messages.errors import InputError
from cl_seg.scans.ingest import write_store_from_scans
from cl_seg.scans.plausible_hu import sample, why_implausible
from cl_seg.scans.series import UnusableError
from cl_seg.scans.store import Grid, read_header

from .conftest import write_nifti, write_series
from .dicom.test_series import find

SIDE = 128
FIELD = {"grid": Grid(64, 8.0), "show_progress": False}


def body(noise: float = 12.0, fat_mm: float = 25.0, slices: int = 3, seed: int = 0) -> np.ndarray:
    """(slices, 128, 128) float32 HU: air, fat, muscle, liver, spleen, bone and bowel gas."""
    random = np.random.default_rng(seed)
    y, x = (np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2) * 3.5
    skin = np.hypot(x / 185, y / 140)
    wall = np.hypot(x / (185 - fat_mm), y / (140 - fat_mm))
    hu = np.full((slices, SIDE, SIDE), -1000.0)
    hu[:, skin < 1] = -102
    hu[:, wall < 1] = 52
    hu[:, wall < 0.82] = -90
    hu[:, np.hypot(x + 60, y) < 55] = 105
    hu[:, np.hypot(x - 70, y - 20) < 35] = 120
    hu[:, np.hypot(x, y - 70) < 22] = 300
    hu[:, (np.hypot(x, y - 70) > 18) & (np.hypot(x, y - 70) < 22)] = 900
    hu[:, np.hypot(x - 20, y + 40) < 9] = -950
    blurred = ndimage.gaussian_filter(hu, (0, 0.6, 0.6))
    return (blurred + random.normal(0, noise, hu.shape)).astype(np.float32)


def said(values: np.ndarray) -> str:
    return why_implausible([sample(np.asarray(image, np.float32)) for image in values])


def padded(values: np.ndarray, padding: float) -> np.ndarray:
    """With a value of its own outside the circle of reconstruction."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    return np.where(np.hypot(x, y) > SIDE / 2, np.float32(padding), values)


def coarser(values: np.ndarray) -> np.ndarray:
    return ndimage.zoom(values, (1, 0.4, 0.4), order=1)


def at_40_kev(values: np.ndarray) -> np.ndarray:
    """Contrasts to water as large as they are there, and iodine in the liver."""
    soft = values > -500
    return np.where(soft, np.where(values < 0, 2.0, 2.6) * values, values)


def lungs(values: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    inside = np.hypot((np.abs(x) - 22) / 17, y / 26) < 1
    return np.where(inside, values / 8 - 850, values)


FLAT = np.select([body(0) < -500, body(0) < 0, body(0) < 80], [-1000.0, -100.0, 50.0], 110.0)
HU = {
    "plain": body(),
    "one slice": body(slices=1),
    "no noise": body(0),
    "low dose": body(60),
    "very low dose": body(150),
    "low dose, cut at the scale": np.clip(body(150), -1024, 3071),
    "obese": body(fat_mm=60),
    "lean": body(fat_mm=6),
    "padding of GE": padded(body(), -2000),
    "padding -3024": padded(body(), -3024),
    "padding -32768": padded(body(), -32768),
    "padding of -1024": padded(body(), -1024),
    "padding, resampled": coarser(padded(body(), -2000)),
    "two paddings": padded(padded(body(), -2000)[:, ::-1], -3024),
    "cut at a window": np.clip(body(), -160, 240),
    "cut at a wide window": np.clip(body(), -500, 500),
    "cut from below": np.clip(body(), -200, None),
    "without what is around it": body()[:, 34:94, 28:100],
    "the same, cut at a window": np.clip(body()[:, 34:94, 28:100], -160, 240),
    "arms and air": np.pad(body(), ((0, 0), (96, 96), (96, 96)), mode="edge"),
    "40 keV": at_40_kev(body(25)),
    "190 keV": np.where(body() > -500, 0.75 * body(), body()),
    "lungs": lungs(body()),
    "lungs alone": lungs(body())[:, 30:90, 25:60],
    "metal": np.where(np.indices((3, SIDE, SIDE))[2] == 40, 12000, body()),
    "water in air": np.where(body() > -300, 0, -1000) + body(5) * 0.02,
    "25 HU off": body() + 25,
    "no noise, padding instead of air": np.where(FLAT < -500, -32768, FLAT),
    "whole numbers": np.rint(body()),
}


@pytest.mark.parametrize("name", HU)
def test_hounsfield_units_are_taken(name: str) -> None:
    assert said(HU[name]) == ""


NOTHING = "nothing is as low as fat or air"
NORMALISED = "they were normalised"
LOST = "adding -10.* makes them plausible: the rescale intercept was lost"
RAW = body() + 1024
OTHERS = {
    "stored values": (RAW, LOST),
    "stored values, unsigned": (np.clip(RAW, 0, 4095), LOST),
    "HU + 1000": (body() + 1000, LOST),
    "stored values, padding of GE": (padded(RAW, -2000), LOST),
    "stored values, padding -1024": (padded(RAW, -1024), LOST),
    "stored values, padding 0": (padded(RAW, 0), ""),
    "stored values, padding, resampled": (coarser(padded(RAW, -2000)), "soft tissue is near 9"),
    "stored values, padding, noise": (padded(body(60) + 1024, -3024), LOST),
    "stored values, no air": (RAW[:, 34:94, 28:100], ""),
    "stored values, little body": (np.pad(RAW, ((0, 0), (96, 96), (96, 96)), mode="edge"), LOST),
    "stored values of 8192": (body() + 8192, "adding -8192"),
    "subtracted twice": (body() - 1024, "adding 1024"),
    "half an offset": (body() + 512, ""),
    "z-scores": ((body() - body().mean()) / body().std(), NORMALISED),
    "-1 to 1": (np.clip((body() - 40) / 200, -1, 1), NORMALISED),
    "-1 to 1 of all": (np.clip(body() / 1000, -1, 1), NORMALISED),
    "0 to 1": (np.clip((body() + 160) / 400, 0, 1), NORMALISED),
    "0 to 255": (np.clip((body() + 160) / 400 * 255, 0, 255), NOTHING),
    "-128 to 127": (np.clip((body() + 1000) / 2000 * 255, 0, 255) - 128, ""),
    "-128 to 127 of a window": (
        np.rint(np.clip((body() + 160) / 400 * 255, 0, 255)) - 128,
        "8 bits",
    ),
    "stored values times ten": ((body(15) + 1024) * 10, "brighter"),
    "half, no noise": (FLAT / 2, "as low as fat"),
    "four times, no noise": (FLAT * 4, "as low as fat"),
    "per mm": ((body() / 1000 + 1) * 0.0193, NORMALISED),
    "times ten": (body() * 10, "air is near -99"),
    "a tenth": (body() / 10, ""),
    "MRI": (np.abs(np.where(body() < -500, 10, np.where(body() < -20, 900, 400))), NOTHING),
    "one value": (np.full((3, SIDE, SIDE), 40), "run from 40 to 40"),
    "padding alone": (np.full((3, SIDE, SIDE), -2000), "soft tissue"),
    "air alone": (np.full((3, SIDE, SIDE), -1000), "soft tissue"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_scales_are_told(name: str) -> None:
    values, reason = OTHERS[name]
    text = said(values)
    assert re.search(r"values run from .*: expected Hounsfield units with air near -1000", text)
    assert re.search(reason, text), text


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([-1024, -1000, 1024, 1000, -2048, -8192]),
    st.sampled_from([None, -1024, -2000, -3024]),
    st.floats(5, 60),
    st.floats(6, 60),
)
def test_a_lost_intercept_is_seen_in_any_body(offset, padding, noise, fat_mm):
    values = body(noise, fat_mm, 1)
    assert said(values) == ""
    moved = values - offset
    assert said(moved if padding is None else padded(moved, padding))


def test_what_was_seen_is_named():
    assert said(padded(RAW, -2000)).endswith(
        "but nothing is as low as fat or air, and most are near 27 and 918; adding -1024 "
        "makes them plausible: the rescale intercept was lost"
    )


@pytest.mark.parametrize("lost", [(2,), (0, 1), (0, 2, 4), (1, 2, 3, 4, 5)])
@pytest.mark.parametrize("intercept", [0, -2048])
def test_slices_on_two_scales_are_told(tmp_path, lost, intercept):
    hu = np.rint(body(slices=6)).astype(np.int16)[:, ::3, ::3]

    def without(ds, index):
        image = hu[index][:40, :40]
        ds.Rows, ds.Columns = image.shape
        ds.PixelRepresentation, ds.BitsStored, ds.HighBit = 0, 12, 11
        ds.PixelData = np.clip(image + 1024, 0, None).astype(np.uint16).tobytes()
        ds.RescaleIntercept = str(intercept if index in lost else -1024)

    write_series(tmp_path, range(0, 30, 5), without)
    ((series,), _) = find(tmp_path)
    with pytest.raises(UnusableError, match=f"{len(lost)} of its 6 slices lie") as error:
        series.load()
    assert f"{-1024 - intercept:+d}"[1:3] in str(error.value).replace("1024", "10")
    assert series.load(allow_implausible_hu=True).implausible


@pytest.mark.parametrize("wrong", [(1.0, -1000), (1.0, -800), (0.5, -1024)])
def test_rescale_values_of_another_slice_are_told(tmp_path, wrong):
    hu = np.rint(body(slices=4)).astype(np.int16)[:, ::3, ::3][:, :40, :40]

    def change(ds, index, is_true):
        slope, intercept = wrong if index == 2 else (1.0, -1024)
        ds.Rows, ds.Columns = hu[index].shape
        ds.RescaleSlope, ds.RescaleIntercept = slope, intercept
        stored = (hu[index] - intercept) / slope if is_true else hu[index] + 1024
        ds.PixelData = np.rint(stored).astype(np.int16).tobytes()

    for is_true in (False, True):
        write_series(tmp_path / str(is_true), range(0, 20, 5), partial(change, is_true=is_true))
        ((series,), _) = find(tmp_path / str(is_true))
        if is_true:
            assert np.abs(series.load().hu - np.maximum(hu, -1024)).max() <= 1
            continue
        with pytest.raises(UnusableError, match=r"agree as stored|lie .* off those beside them"):
            series.load()


def test_blank_slices_are_on_no_scale():
    hu = body(slices=5)
    for value in (-1000, -1024, 0):
        hu[0] = hu[4] = value
        assert said(hu) == ""
        assert said(hu[:, 34:94, 28:100]) == ""


def manifest(folder: Path, values: np.ndarray) -> Path:
    write_nifti(folder / "raw.nii.gz", values, spacing=3.5)
    write_nifti(folder / "good.nii.gz", body(), spacing=3.5)
    lines = "image,labels,patient,scanner", "raw.nii.gz,,p1,Raw CT", "good.nii.gz,,p2,Good CT"
    (folder / "scans.csv").write_text("\n".join(lines))
    return folder / "scans.csv"


def test_a_series_of_another_scale_is_left_out_of_a_store(tmp_path):
    report = write_store_from_scans(manifest(tmp_path, RAW), tmp_path / "out.store", **FIELD)
    assert [one.name for one in report.scanners] == ["Good CT"]
    (rejected,) = report.rejected
    assert rejected.path.name == "raw.nii.gz"
    assert "--allow-implausible-hu" in rejected.reason
    assert "implausible_hu" not in read_header(tmp_path / "out.store").provenance


def test_nothing_else_is_an_error(tmp_path):
    lines = manifest(tmp_path, RAW).read_text().splitlines()[:-1]
    (tmp_path / "scans.csv").write_text("\n".join(lines))
    with pytest.raises(InputError, match="the rescale intercept was lost"):
        write_store_from_scans(tmp_path / "scans.csv", tmp_path / "out.store", **FIELD)
    assert not (tmp_path / "out.store").exists()


def test_who_takes_it_all_the_same_has_it_in_the_store(tmp_path):
    report = write_store_from_scans(
        manifest(tmp_path, RAW), tmp_path / "out.store", allow_implausible_hu=True, **FIELD
    )
    assert [one.name for one in report.scanners] == ["Good CT", "Raw CT"]
    assert report.rejected == []
    (note,) = (note for note in report.notes if "taken as it is" in note)
    assert note.startswith(f"{tmp_path}/raw.nii.gz: taken as it is: its values run from")
    header = read_header(tmp_path / "out.store")
    assert len(header.provenance["implausible_hu"]) == 1
    write_store_from_scans(
        manifest(tmp_path, body()), tmp_path / "2.store", allow_implausible_hu=True, **FIELD
    )
    assert "implausible_hu" not in read_header(tmp_path / "2.store").provenance

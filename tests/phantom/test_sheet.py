import numpy as np
import pytest
from PIL import Image

from cl_seg.messages.errors import InputError
from cl_seg.phantom import sheet
from cl_seg.phantom.profiles import load_profile
from cl_seg.phantom.sheet import (
    GRID,
    HEADER,
    MARGIN,
    tile,
    window,
    with_captions,
    write_sheet,
)
from cl_seg.phantom.simulated_scan import SimulatedScan

SIDE = GRID.size
PROFILES = {name: load_profile(name) for name in ("siemens_like", "stress_native")}


def grey_of(simulated_scan, level):
    """A grey value for every scanner, body and level."""
    number = int(simulated_scan.body[-1])
    grey = 20 + 100 * (simulated_scan.scanner == "siemens_like") + 10 * number + (level == "liver")
    return np.full((SIDE, SIDE), grey, np.uint8)


@pytest.fixture
def unscanned(monkeypatch):
    monkeypatch.setattr(sheet, "tile", grey_of)


def write(path, **settings):
    write_sheet(path, PROFILES, show_progress=False, **settings)
    return Image.open(path)


def middles(picture):
    """Grey values in the middle of every tile, by row and column."""
    return np.asarray(picture)[HEADER + SIDE // 2 :: SIDE, MARGIN + SIDE // 2 :: SIDE]


def test_the_window_is_that_of_the_abdomen():
    hu = np.array([-1000, -160, 40, 240, 3000])
    assert window(hu).tolist() == [0, 0, 128, 255, 255]


@pytest.mark.usefixtures("unscanned")
def test_bodies_are_rows_with_their_levels_and_scanners_columns(tmp_path):
    picture = write(tmp_path / "a.png", bodies=2)
    assert picture.size == (MARGIN + 2 * SIDE, HEADER + 4 * SIDE)
    assert middles(picture).tolist() == [[120, 20], [121, 21], [130, 30], [131, 31]]


@pytest.mark.usefixtures("unscanned")
def test_one_level_has_a_row_per_body(tmp_path):
    picture = write(tmp_path / "a.jpg", bodies=3, levels=("L3",))
    assert picture.format == "JPEG"
    np.testing.assert_allclose(middles(picture), [[120, 20], [130, 30], [140, 40]], atol=2)


def test_every_tile_is_stamped_and_every_row_and_column_named():
    mosaic = np.zeros((2 * SIDE, SIDE), np.uint8)
    pixels = np.asarray(with_captions(mosaic, ["scanner"], ["one", "two"]))
    assert pixels[:HEADER, MARGIN:].any()  # the scanner's name
    for row in range(2):
        below = HEADER + row * SIDE
        assert pixels[below : below + SIDE, :MARGIN].any()
        stamp = pixels[below : below + SIDE, MARGIN:]
        assert stamp[-24:].any() and not stamp[:-24].any()


def test_unknown_endings_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"\.png, \.jpg"):
        write(tmp_path / "a.gif", bodies=1)
    assert not list(tmp_path.iterdir())


def test_a_tile_is_what_a_store_holds_in_grey():
    picture = tile(
        SimulatedScan("shared-body-0000", "siemens_like", PROFILES["siemens_like"], 0), "L3"
    )
    assert picture.shape == (SIDE, SIDE)
    assert picture[0, 0] == 0  # air
    assert 100 < np.median(picture[picture > 90]) < 160  # soft tissue

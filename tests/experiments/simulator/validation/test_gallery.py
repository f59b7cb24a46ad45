import io

import numpy as np
import pytest
from PIL import Image

from cl_seg.phantom.profiles import load_profile
from experiments.simulator.validation.gallery import (
    GRID,
    HEIGHT,
    Picture,
    draw_gallery,
    gallery_png,
    pictures,
)


def made_up(count=3):
    rng = np.random.default_rng(0)
    levels = [rng.integers(0, 255, (HEIGHT, GRID.size), np.uint8) for _ in range(2)]
    profile = load_profile("siemens_like")
    return [Picture(f"toy_{i}", profile, levels, 9.6) for i in range(count)]


def test_every_scanner_is_named_with_its_settings_and_noise():
    figure = draw_gallery(made_up())
    texts = [text.get_text() for text in figure.texts]
    assert "simulated" in texts[0]
    assert [t for t in texts if t.startswith("toy_")] == ["toy_0", "toy_1", "toy_2"]
    tube = load_profile("siemens_like").tube
    assert sum(f"{tube.kvp} kV" in t and t.endswith("10 HU") for t in texts) == 3
    assert [axes.get_images()[0].get_array().shape for axes in figure.axes] == [
        (HEIGHT, 2 * GRID.size)
    ] * 3


def test_pictures_and_captions_do_not_overlap():
    figure = draw_gallery(made_up(13))
    boxes = [axes.get_position() for axes in figure.axes]
    assert all(min(b.x0, b.y0) >= 0 and max(b.x1, b.y1) <= 1 for b in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_the_picture_is_grey_and_the_same_for_the_same_scans():
    one, other = (gallery_png(made_up()) for _ in range(2))
    assert one == other
    assert Image.open(io.BytesIO(one)).mode == "L"


@pytest.mark.slow
def test_bodies_are_scanned():
    (native,) = pictures(["stress_native"])
    assert [level.shape for level in native.levels] == [(HEIGHT, GRID.size)] * 2
    assert 5 < native.noise < 60

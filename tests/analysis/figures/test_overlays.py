"""Overlays: truth filled, prediction outlined."""

import base64
import io
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from cl_seg.analysis.figures.overlays import CONTOURS, FILL, SHADES, examples, overlay
from cl_seg.analysis.figures.style import PNG_INSIDE, as_svg, rendered
from cl_seg.records.load import load_results
from tests.records.factory import NAIVE, write_run

SIZE = 64


def test_truth_is_filled_and_the_prediction_outlined() -> None:
    image = np.full((SIZE, SIZE), 100, np.uint8)
    truth, found = np.zeros((2, SIZE, SIZE), np.uint8)
    truth[8:24, 8:24], found[36:56, 36:56] = 1, 2
    picture = overlay(2, image, truth, found)
    factor = picture.shape[0] // SIZE
    grey = np.full(3, round(100 / 255 * (SHADES - 1)) / (SHADES - 1))
    yellow, blue = (np.array(to_rgb(c)) for c in CONTOURS[:2])
    assert np.allclose(picture[16 * factor, 16 * factor], (1 - FILL) * grey + FILL * yellow)
    assert np.allclose(picture[46 * factor, 46 * factor], grey), "a prediction is not filled"
    column = picture[46 * factor]
    lines = np.flatnonzero((np.abs(column - blue) < 1e-9).all(axis=1)) / factor
    assert len(lines) == 2 and np.allclose(lines, (36, 56), atol=1)


def test_long_titles_stay_over_their_panels(tmp_path: Path) -> None:
    names = {"a": "Siemens SOMATOM Definition AS+", "b": "GE Discovery CT750 HD, STANDARD"}
    write_run(tmp_path, "Naive", NAIVE, scanner_names=names)
    figure = examples(runs := load_results(tmp_path), runs[0].order)
    FigureCanvasAgg(figure).draw()
    titles = [text for text in figure.axes[0].texts if "stage" in text.get_text()]
    assert len(titles) == 4
    boxes = [title.get_window_extent() for title in titles]
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))


def test_nothing_predicted_changes_nothing() -> None:
    image = np.arange(SIZE * SIZE, dtype=np.uint32).reshape(SIZE, SIZE).astype(np.uint8)
    empty = np.zeros_like(image)
    picture = overlay(2, image, empty, empty)
    assert (picture[..., 0] == picture[..., 1]).all() and picture.min() >= 0 and picture.max() <= 1


def test_lines_are_as_wide_on_pages_whatever_the_pixels() -> None:
    shares = []
    for size in (64, 128, 256, 320, 512):
        image, found = np.zeros((2, size, size), np.uint8)
        found[size // 4 : 3 * size // 4, size // 4 : 3 * size // 4] = 1
        picture = overlay(1, image, np.zeros_like(image), found)
        shares.append(picture[:, len(picture) // 2].any(axis=1).mean())
    assert max(shares) <= 1.35 * min(shares), shares


def _inside(svg: str) -> Image.Image:
    found = PNG_INSIDE.search(svg)
    assert found is not None
    return Image.open(io.BytesIO(base64.b64decode(found[0])))


def test_pictures_of_few_colours_are_kept_small_and_as_they_are() -> None:
    rng = np.random.default_rng(0)
    image, truth, found = rng.integers(0, (256, 3, 3), (200, 200, 3)).astype(np.uint8).T
    figure = Figure((2, 2))
    figure.add_axes((0, 0, 1, 1)).imshow(overlay(2, image, truth, found), interpolation="none")
    plain, small = rendered(figure, "svg").decode(), as_svg(figure)
    assert np.array_equal(_inside(plain).convert("RGB"), _inside(small).convert("RGB"))
    assert _inside(small).mode == "P" and len(small) < 0.7 * len(plain)


def test_pictures_of_many_colours_stay_as_they_are() -> None:
    figure = Figure((2, 2))
    noise = np.random.default_rng(0).random((40, 40, 3))
    figure.add_axes((0, 0, 1, 1)).imshow(noise, interpolation="none")
    plain, small = rendered(figure, "svg").decode(), as_svg(figure)
    assert np.array_equal(_inside(plain), _inside(small))

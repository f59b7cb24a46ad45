import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cl_seg.phantom.anatomy.canvas import Canvas
from cl_seg.phantom.anatomy.field import Samples
from cl_seg.phantom.anatomy.random_field import RandomField
from cl_seg.phantom.anatomy.shapes import Ellipse, wobble
from cl_seg.phantom.tissues import TISSUES
from cl_seg.scans.store import Grid

GRID = Grid(200, 2.0)


def plain_canvas(grid=GRID):
    """A canvas without warp."""
    canvas = Canvas(grid, np.random.default_rng(0))
    axis = ((np.arange(grid.size) - (grid.size - 1) / 2) * grid.spacing_mm).astype(np.float32)
    canvas.x, canvas.y = (
        Samples(values[None], canvas.window) for values in np.meshgrid(axis, axis)
    )
    return canvas


def whole(grid):
    return slice(0, grid.size), slice(0, grid.size)


def random_field(seed, length, grid=GRID, z=0.0):
    """One height of a random field over a whole grid, (N, N)."""
    field = RandomField(np.random.default_rng(seed), grid, whole(grid), length, z)
    return field.on(whole(grid))[0]


def fraction(canvas, tissue):
    return canvas.fractions()[TISSUES.index(tissue)]


@pytest.mark.parametrize("length", [1.6, 4.0, 30.0])
def test_a_field_has_unit_variance(length):
    draws = [random_field(s, length) for s in range(20)]
    assert np.mean([d.mean() for d in draws]) == pytest.approx(0, abs=0.15)
    assert np.mean([(d**2).mean() for d in draws]) == pytest.approx(1, abs=0.15)


def test_a_field_does_not_depend_on_the_grid():
    fields = [random_field(1, 9.0, grid) for grid in (Grid(100, 4.0), Grid(400, 1.0))]
    blocks = fields[1].reshape(100, 4, 100, 4).mean(axis=(1, 3))
    assert np.corrcoef(fields[0].ravel(), blocks.ravel())[0, 1] > 0.995


def test_a_circle_has_its_signed_distance():
    canvas = plain_canvas()
    shape = canvas.ellipse(Ellipse((20, -10), (50, 50)))
    exact = np.hypot(canvas.x.on(shape.box) - 20, canvas.y.on(shape.box) + 10) - 50
    near = np.abs(exact) < 20
    np.testing.assert_allclose(shape.distance[near], exact[near], atol=1e-3)
    assert (shape.distance < 0).sum() * 4 == pytest.approx(np.pi * 50**2, rel=0.01)


@settings(max_examples=20, deadline=None)
@given(st.floats(20, 80), st.floats(20, 80), st.floats(0, 3.1))
@example(20.0, 25.0, 0.0)
def test_an_ellipse_has_its_area(a, b, angle):
    canvas = plain_canvas()
    canvas.paint(canvas.ellipse(Ellipse((3, 4), (a, b), angle)), {"liver": 1.0}, 2)
    area = fraction(canvas, "liver").sum() * GRID.spacing_mm**2
    assert area == pytest.approx(np.pi * a * b, rel=0.02)
    # Whole pixels can be wrong along the edge only: by a quarter of a pixel all around, at most.
    edge = np.pi * (a + b) * GRID.spacing_mm
    assert (canvas.labels == 2).sum() * GRID.spacing_mm**2 == pytest.approx(area, abs=edge / 4)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_fractions_always_sum_to_one(seed):
    rng = np.random.default_rng(seed)
    canvas = Canvas(Grid(60, 6.0), rng)
    for _ in range(5):
        share = rng.uniform()
        outline = Ellipse(
            tuple(rng.uniform(-150, 150, 2)), tuple(rng.uniform(5, 80, 2)), rng.uniform(0, 3),
            wobble=wobble(rng, 0.1),
        )  # fmt: skip
        first, second = rng.choice(TISSUES, 2, replace=False)
        canvas.paint(canvas.ellipse(outline), {first: share, second: 1 - share})
    np.testing.assert_allclose(canvas.fractions().sum(axis=0), 1, atol=1e-5)


def test_a_label_of_none_keeps_labels():
    canvas = plain_canvas()
    disk = canvas.ellipse(Ellipse((0, 0), (50, 50)))
    canvas.paint(disk, {"muscle": 1.0}, 1)
    canvas.paint(disk, {"adipose": 1.0}, None)
    assert canvas.labels[0, 100, 100] == 1
    assert fraction(canvas, "adipose")[100, 100] == 1
    assert fraction(canvas, "air")[140, 140] == 1


def test_what_is_placed_later_keeps_apart():
    canvas = plain_canvas()
    canvas.place(canvas.ellipse(Ellipse((-20, 0), (40, 40))), {"liver": 1.0}, 2)
    left = canvas.place(canvas.ellipse(Ellipse((20, 0), (40, 40))), {"spleen": 1.0}, 0, gap_mm=4)
    assert (canvas.labels[0, 100] == 2).sum() * 2 == pytest.approx(80, abs=2)
    assert (left.on(whole(GRID))[0, 100] < 0).sum() * 2 == pytest.approx(36, abs=2)
    assert fraction(canvas, "air")[100, 111] > 0.5  # the gap, from x = 20 to 24 mm


def test_heights_belong_to_one_smooth_body():
    def field(z):
        return random_field(5, 4.0, z=z)

    def likeness(one, other):
        return np.corrcoef(field(one).ravel(), field(other).ravel())[0, 1]

    assert likeness(0, 0.2) > 0.99
    assert 0.6 < likeness(0.5, 2.5) < 0.85  # half a length apart: cos 45°
    assert abs(likeness(0, 8)) < 0.1
    assert field(2.0).std() == pytest.approx(1, abs=0.1)


def test_shapes_drift_and_grow_with_height():
    outline = Ellipse((10, 0), (20, 10), drift=(0.5, 0), growth=-0.5)
    canvas = plain_canvas()
    canvas.z_mm = np.array([0, 8], np.float32).reshape(2, 1, 1)
    shape = canvas.ellipse(outline)
    extents = []
    for distance in shape.distance:
        columns = np.flatnonzero((distance < 0).any(axis=0)) + shape.box[1].start
        extents.append((2 * columns[[0, -1]] - 199).tolist())
    assert extents[0] == pytest.approx([-10, 30], abs=2)
    assert extents[1] == pytest.approx([-2, 30], abs=2)


def test_a_turned_patient_has_organs_elsewhere_and_gravity_the_same_way():
    turned = Canvas(GRID, np.random.default_rng(0), turn=np.pi / 2)
    shape = turned.ellipse(Ellipse((60.0, 0.0), (20.0, 10.0)))
    inside = np.argwhere((shape.on(turned.everywhere) < 0)[0])
    y, x = (inside.mean(axis=0) - (GRID.size - 1) / 2) * GRID.spacing_mm
    assert (x, y) == pytest.approx((0, 60), abs=8)
    assert len(inside) * GRID.spacing_mm**2 == pytest.approx(np.pi * 200, rel=0.15)
    down = turned.gravity_y.on(turned.everywhere)[0]
    assert (np.diff(down.mean(axis=1)) > 0).all()

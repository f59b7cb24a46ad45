"""Test slices that runs keep, with contours of truth and predictions over the stages."""

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from skimage.measure import approximate_polygon, find_contours

from cl_seg.analysis.explorer.cases import identity
from cl_seg.analysis.explorer.thinning import left_out, widest_first
from cl_seg.analysis.figures.overlays import RANKS
from cl_seg.analysis.many_scanners import shown_scanners
from cl_seg.metrics.segmentation import dice
from cl_seg.records.results import RunResult

Plane = npt.NDArray[np.uint8]
MAX_BYTES = 1_200_000
"""Of all pictures and contours on a page."""
QUALITY = 60  # of JPEG, at which soft tissue still looks like itself
MAX_SIDE = 256  # pixels
TOLERANCE = 0.6  # pixels by which a contour is straightened
UNKNOWN = 255


@dataclass(frozen=True)
class Slice:
    """A test slice of a run, and what was predicted on it after stages.

    Attributes:
        scanner: scanner it was taken with.
        what: why the run kept it.
        image: (S, S) grey values.
        truth: (S, S) labels, 255 unknown.
        predictions: stage → (S, S) labels.
    """

    scanner: str
    what: str
    image: Plane
    truth: Plane
    predictions: dict[int, Plane] = field(default_factory=dict)


@dataclass(frozen=True)
class Pictures:
    """Slices as JPEG and contours as paths of SVG, ready for JSON.

    Attributes:
        images: slices, each once: scanner, ``source``, ``size`` in pixels, ``truth`` (a path per
            class).
        shown: slices of runs: what tells the run, ``image`` (index), ``what``, ``stages`` (stage,
            Dice, a path per class) and ``lost``, the Dice lost from learning the scanner to the
            end, None where either is unknown.
        notices: sentences on what was left out.
    """

    images: list[dict[str, Any]]
    shown: list[dict[str, Any]]
    notices: Sequence[str]


def pictures_of(results: Sequence[RunResult]) -> Pictures:
    """Pictures of the first run of every network and strategy, then of more runs."""
    scanners = shown_scanners(results)
    images: dict[tuple[str, bytes], dict[str, Any]] = {}
    places: dict[tuple[str, bytes], int] = {}
    shown: list[dict[str, Any]] = []
    size, taken = 0, 0
    for run in widest_first(results):
        if size > MAX_BYTES:
            break
        taken += 1
        for one in slices_of(run, scanners):
            key = one.scanner, one.image.tobytes()
            if key not in images:
                places[key] = len(images)
                images[key] = _image(one, run)
                size += len(images[key]["source"])
            stages = [_stage(stage, one, run) for stage in sorted(one.predictions)]
            size += sum(len(path) for _, _, paths in stages for path in paths)
            shown.append({
                **identity(run),
                "image": places[key],
                "what": one.what,
                "stages": stages,
                "lost": _lost(one, run),
            })  # fmt: skip
    place = "the folders of the runs have all"
    notices = left_out("Pictures", taken, len(results), place) if shown else []
    return Pictures(list(images.values()), shown, notices)


def slices_of(run: RunResult, scanners: Sequence[str]) -> list[Slice]:
    """Slices that a run has pictures of, each once, with all stages it was kept after."""
    found: dict[tuple[str, bytes], Slice] = {}
    for scanner, what, image, truth, stage, prediction in _kept(run, scanners):
        key = scanner, image.tobytes()
        own = found.setdefault(key, Slice(scanner, what, image, truth))
        own.predictions[stage] = prediction
    return list(found.values())


def _kept(
    run: RunResult, scanners: Sequence[str]
) -> Iterator[tuple[str, str, Plane, Plane, int, Plane]]:
    """Scanner, what it is, image, truth, stage and prediction of everything a run has kept."""
    examples, last = run.examples, len(run.matrix()) - 1
    for scanner in scanners:
        if f"{scanner}/image" not in examples:
            continue
        learned = last if run.is_joint else min(run.first_visits[scanner], last)
        image, truth = examples[f"{scanner}/image"], examples[f"{scanner}/truth"]
        of_stages = [(1, f"{scanner}/first"), (last, f"{scanner}/last")]
        typical = [(stage, examples[name]) for stage, name in of_stages if name in examples]
        stages = map(int, examples.get(f"{scanner}/stages", ()))
        typical += zip(stages, examples.get(f"{scanner}/predictions", ()), strict=True)
        for stage, prediction in typical:
            yield scanner, "typical", image, truth, stage, prediction
        for moment, stage, when in (("learned", learned, "once learned"), ("last", last, "at end")):
            for rank, planes in zip(
                RANKS, examples.get(f"{scanner}/ranked/{moment}", ()), strict=False
            ):
                yield scanner, f"{rank} {when}", planes[0], planes[1], stage, planes[2]


def _stage(stage: int, one: Slice, run: RunResult) -> tuple[int, float | None, list[str]]:
    found = one.predictions[stage]
    classes = len(run.classes)
    value = slice_score(found, one.truth, classes)
    return stage, None if np.isnan(value) else round(value, 3), contours(found, classes)


def _lost(one: Slice, run: RunResult) -> float | None:
    """Dice lost from learning the scanner of a slice to the end; None where either is unknown."""
    last = len(run.matrix()) - 1
    learned = run.first_visits[one.scanner]
    goes_on = run.training_regime != "single"
    if not goes_on or learned >= last or not {learned, last} <= one.predictions.keys():
        return None
    before, after = (
        slice_score(one.predictions[stage], one.truth, len(run.classes))
        for stage in (learned, last)
    )
    return round(before - after, 3) if np.isfinite(before - after) else None


def slice_score(found: Plane, truth: Plane, classes: int) -> float:
    """Dice of a slice, the mean over classes that are true or predicted; NaN without any."""
    known = truth != UNKNOWN
    labels = range(1, classes + 1)
    values = [dice((found == n) & known, (truth == n) & known) for n in labels]
    there = [value for value in values if np.isfinite(value)]
    return float(np.mean(there)) if there else float("nan")


def _image(one: Slice, run: RunResult) -> dict[str, Any]:
    height, width = one.image.shape
    return {
        "scanner": run.short_names[one.scanner],
        "source": _jpeg(one.image),
        "size": [width, height],
        "truth": contours(one.truth, len(run.classes)),
    }


def _jpeg(image: Plane) -> str:
    picture = Image.fromarray(image)
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def contours(labels: Plane, classes: int) -> list[str]:
    """The outline of every class as a path of SVG, in half pixels, x to the right and y down."""
    return [_path(labels == label) for label in range(1, classes + 1)]


def _path(mask: npt.NDArray[np.bool_]) -> str:
    if not mask.any():
        return ""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    top, left = rows[0], columns[0]
    inside = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    # A frame closes contours at the edge. The first pixel, 1 in the frame, has its centre at 0.5.
    lines = find_contours(np.pad(inside, 1).astype(float), 0.5)
    corner = np.array([top, left]) - 0.5
    kept = (approximate_polygon(line, TOLERANCE) + corner for line in lines)
    return "".join(map(_closed_line, kept))


def _closed_line(line: npt.NDArray[np.float64]) -> str:
    """A closed line of (row, column) in relative steps, which are short."""
    points = np.rint(2 * line[:-1, ::-1]).astype(int)
    start, steps = points[0], np.diff(points, axis=0)
    return f"M{start[0]} {start[1]}l" + " ".join(f"{x} {y}" for x, y in steps) + "z"

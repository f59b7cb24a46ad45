"""Slices at equal distances, judged from positions that may have been rounded in writing."""

import math

import numpy as np
import numpy.typing as npt

# Engineering values.
_EVEN_TOLERANCE = 0.1  # of the distance between slices, by which a position may be off
_GAP_IN_STEPS = 1.5  # usual steps from which on a step is a gap
_ROUNDING_UNITS_MM = (1.0, 0.5, 0.1, 0.05, 0.01)  # to which positions may have been rounded
_MIN_SLICES_FOR_ROUNDING = 8  # fewer do not tell rounded positions from uneven ones
_ROUNDING_EVIDENCE = 1.8  # scales the slices needed where a step rounded up is close to two steps
_MIN_ROUNDED_FRACTION = 0.1  # of the steps that were rounded up, and of those rounded down

Positions = npt.NDArray[np.float64]


def evenly_spaced_segments(z_mm: Positions) -> list[slice]:
    """Split ascending positions (mm) into segments of one distance each.

    A line of equal distances passes every position of a segment within a tenth of the distance, or
    within half the step to which positions were rounded (1.5 mm in whole millimetres).
    """
    _, rounding = usual_step(np.diff(z_mm))
    segments, start = [], 0
    while start < len(z_mm):
        first = np.diff(z_mm[start : start + 2]).sum()
        stop = start + _even_until(z_mm[start:], max(_EVEN_TOLERANCE * first, rounding / 2))
        segments.append(slice(start, stop))
        start = stop
    return segments


def even_positions(z_mm: Positions) -> Positions:
    """Positions of one segment (mm) on the line of equal distances that fits them best."""
    if len(z_mm) == 1:
        return z_mm
    index = np.arange(len(z_mm)) - (len(z_mm) - 1) / 2
    step = round(float(index @ z_mm / (index @ index)), 6)  # least squares
    first = round(float(z_mm.mean() + step * index[0]), 6)
    line: Positions = first + step * np.arange(len(z_mm), dtype=float)
    return line


def snap_to_even_spacing(z_mm: Positions) -> Positions:
    """Ascending positions (mm), each segment moved onto its line of equal distances."""
    return np.concatenate(
        [even_positions(z_mm[segment]) for segment in evenly_spaced_segments(z_mm)]
    )


def spacing_notes(z_mm: Positions) -> list[str]:
    """Gaps and uneven steps between ascending slice positions (mm), in words.

    The usual step is the lower median. A step above 1.5 times the usual one is a gap; steps more
    than 10 % off it are uneven (engineering values), unless positions were merely rounded.
    """
    steps = np.diff(z_mm)
    if not len(steps):
        return []
    usual, rounding = usual_step(steps)
    gaps = _gaps(steps, usual, rounding)
    notes = [
        f"gap of {steps[i]:g} mm between z = {z_mm[i]:g} and {z_mm[i + 1]:g} mm, "
        f"slices missing: about {round(steps[i] / usual) - 1}"
        for i in np.flatnonzero(gaps)
    ]
    regular = steps[~gaps]
    uneven = bool(np.any(np.abs(regular - usual) > _EVEN_TOLERANCE * usual))
    if rounding:
        uneven = len(evenly_spaced_segments(z_mm)) > len(notes) + 1
    if uneven:
        notes.append(f"uneven slice spacing, {regular.min():g} to {regular.max():g} mm")
    return notes


def usual_step(steps: Positions) -> tuple[float, float]:
    """The usual step between positions, and the unit they were rounded to (0 for none), in mm.

    Rounding turns equal steps into two sizes that differ by the unit and both occur again and
    again; the usual step is then their mean. Otherwise it is the lower median, and the unit is 0:
    few slices do not tell rounding from a missing slice.
    """
    if not len(steps):
        return 1.0, 0.0
    usual = float(np.sort(steps)[(len(steps) - 1) // 2])
    for unit in _ROUNDING_UNITS_MM:
        if np.abs(steps - unit * np.rint(steps / unit)).max() > 0.01 * unit:
            continue
        same, up, down = (np.abs(steps - usual - k * unit) < unit / 2 for k in (0, 1, -1))
        other = up if up.sum() >= down.sum() else down
        mean, fraction = float(steps[same | other].mean()), other.sum() / (same | other).sum()
        needed = _ROUNDING_EVIDENCE * (2 + unit / (mean - unit)) if mean > unit else math.inf
        enough = len(steps) + 1 >= max(_MIN_SLICES_FOR_ROUNDING, needed)
        if enough and _MIN_ROUNDED_FRACTION <= fraction <= 1 - _MIN_ROUNDED_FRACTION:
            return mean, unit
        break
    return usual, 0.0


def _gaps(steps: Positions, usual: float, rounding: float) -> npt.NDArray[np.bool_]:
    gaps: npt.NDArray[np.bool_] = steps > max(_GAP_IN_STEPS * usual, usual + rounding)
    return gaps


def _even_until(z_mm: Positions, off_mm: float) -> int:
    """How many positions from the first on a line of equal distances passes within ``off_mm``.

    A line of step s does so if and only if s (j - i) is within 2 ``off_mm`` of z[j] - z[i] for
    every pair.
    """
    off_mm += 1e-6
    low, high = 0.0, math.inf
    for j in range(1, len(z_mm)):
        apart, count = z_mm[j] - z_mm[:j], np.arange(j, 0, -1)
        low = max(low, float(((apart - 2 * off_mm) / count).max()))
        high = min(high, float(((apart + 2 * off_mm) / count).min()))
        if low > high:
            return j
    return len(z_mm)

"""Check that the values of a CT series can be Hounsfield units: air, fat and soft tissue in place.

It does not find offsets of less than about 240 HU upwards or 150 HU downwards, nor a scale that
leaves everything within the bounds below. All bounds are engineering values, wide enough for
virtual monoenergetic images of 40 to 190 keV, lungs, metal, noise, and images clipped to a
soft-tissue window.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cl_seg.messages.plural import counted

SIDE = 64
"""Pixels of a slice that are looked at, per side."""


@dataclass(frozen=True)
class Thresholds:
    """Bounds of plausible values; HU and fractions of the values that are looked at.

    Attributes:
        padding_max_hu: values repeated at or below it are padding outside the image.
        air_max_hu: air, lungs included, lies below it.
        air_quartile_min_hu: the lower quartile of air is not below it; what is may be padding.
        air_5_percent_max_hu: the 5th percentile of air is not above it.
        fat_max_hu: fat and air lie at or below it.
        fat_and_air_min_fraction: of all values.
        soft_tissue_hu: range of soft tissue.
        soft_tissue_min_fraction: of the values above air.
        bone_min_hu: bone lies above it.
        clipped_floor_min_fraction: of all values; a lowest value with a larger fraction is the
            lower end of a window that clipped air. Soft tissue is then checked more strictly, among
            what is above fat, because air no longer shows the scale.
        windowed_soft_tissue_hu: range of soft tissue in such an image.
        windowed_soft_tissue_min_fraction: of the values above fat in such an image.
        windowed_fat_hu: range of fat in such an image, at 40 keV too.
        windowed_fat_min_fraction: of the values above the lower end of the window.
        floor_without_fat_max_hu: fat is asked for where the window begins below it; a window that
            begins above may begin within fat.
        eight_bit_range: least and largest value of what was stored in 8 bits with a sign, which no
            window has.
        scale_max_hu: upper end of the 12-bit scale of CT.
        above_scale_max_fraction: of all values; metal alone has fewer.
        stored_tissue: where fat and soft tissue lie in stored values.
        stored_tissue_max_fraction: of bone, in that range.
        scale_step_hu: median difference of neighbouring slices from which on they are on two
            scales.
        normalised_max_range: range of values that no CT has.
    """

    padding_max_hu: float = -1024
    air_max_hu: float = -500
    air_quartile_min_hu: float = -1150
    air_5_percent_max_hu: float = -780
    fat_max_hu: float = -60
    fat_and_air_min_fraction: float = 0.01
    soft_tissue_hu: tuple[float, float] = (-40, 350)
    soft_tissue_min_fraction: float = 0.12
    bone_min_hu: float = 350
    clipped_floor_min_fraction: float = 0.02
    windowed_soft_tissue_hu: tuple[float, float] = (20, 500)
    windowed_soft_tissue_min_fraction: float = 0.3
    windowed_fat_hu: tuple[float, float] = (-250, -60)
    windowed_fat_min_fraction: float = 0.01
    floor_without_fat_max_hu: float = -150
    eight_bit_range: tuple[float, float] = (-128, 127)
    scale_max_hu: float = 3071
    above_scale_max_fraction: float = 0.1
    stored_tissue: tuple[float, float] = (800, 1300)
    stored_tissue_max_fraction: float = 0.6
    scale_step_hu: float = 250
    normalised_max_range: float = 50


LIMITS = Thresholds()
LOST_INTERCEPTS = (-1024, -1000, 1024, 1000, -2048, 2048, -8192, 8192, -32768)
"""Rescale intercepts that are tried where values are implausible."""

Values = npt.NDArray[np.float32]

_EXPECTED = "expected Hounsfield units with air near -1000, fat near -100, soft tissue near 50"
_NO_TISSUE = "little or nothing is soft tissue"
_BINS = 64


def sample(image: npt.NDArray[np.floating]) -> Values:
    """Regularly sampled pixels of a slice (H, W), the same ones for every slice of that size."""
    rows, columns = (max(1, side // SIDE) for side in image.shape)
    return image[rows // 2 :: rows, columns // 2 :: columns].astype(np.float32).ravel()


def why_implausible(slices: Sequence[Values]) -> str:
    """Reason why values cannot be Hounsfield units, in words; "" for plausible ones.

    Args:
        slices: :func:`sample` of every slice of a series, in the order of their positions.
    """
    all_values = np.concatenate(slices)
    if scales := _two_scales(slices):
        return scales
    reason = _distribution_fault(all_values)
    if not reason:
        return ""
    values = _without_padding(all_values)
    frequent = _most_frequent(values if len(values) else all_values)
    return (
        f"its values run from {all_values.min():g} to {all_values.max():g}: {_EXPECTED}, but "
        f"{reason}, and most are near {frequent}{_hint(all_values)}"
    )


def _distribution_fault(values: Values) -> str:
    """The fault in the distribution of values, in words; "" for none."""
    values = _without_padding(values)
    if not len(values):
        return _NO_TISSUE
    floor = float(values.min())
    if (floor, float(values.max())) == LIMITS.eight_bit_range:
        return "these are the bounds of 8 bits"
    if _fraction(values, LIMITS.scale_max_hu, np.inf) > LIMITS.above_scale_max_fraction:
        return "much is brighter than the scale of CT"
    if np.mean(values == floor) > LIMITS.clipped_floor_min_fraction:
        # The lowest value is air, or what was clipped with it.
        fat = _fraction(values[values > floor], *LIMITS.windowed_fat_hu)
        shows_fat = fat >= LIMITS.windowed_fat_min_fraction
        if LIMITS.air_max_hu <= floor < LIMITS.floor_without_fat_max_hu and not shows_fat:
            return "nothing is as low as fat"
        values = np.where(values == floor, min(floor, LIMITS.air_max_hu - 1), values)
    fat_and_air = _fraction(values, -np.inf, LIMITS.fat_max_hu)
    if fat_and_air < LIMITS.fat_and_air_min_fraction or floor > LIMITS.fat_max_hu:
        return "nothing is as low as fat or air"
    return (_air_fault(values) if floor < LIMITS.air_max_hu else "") or _tissue_fault(values, floor)


def _air_fault(values: Values) -> str:
    air = values[values < LIMITS.air_max_hu]
    body = 1 - len(air) / len(values)
    if body > 0.95:
        return ""
    quarter, most = np.quantile(air, [0.25, 0.05])
    # Twice subtracted, fat is below air, soft tissue is taken for air and bone for a body.
    twice = body < 0.08 and _fraction(air, -np.inf, -1080) > 0.12
    if twice or quarter < LIMITS.air_quartile_min_hu or most > LIMITS.air_5_percent_max_hu:
        return f"what may be air is near {np.median(air):.0f}"
    return ""


def _tissue_fault(values: Values, floor: float) -> str:
    body = values[values >= LIMITS.air_max_hu]
    high = body[body > LIMITS.bone_min_hu]
    much = 0.02 if _fraction(values, -np.inf, LIMITS.fat_max_hu) < 0.1 else 0.2
    stored = _fraction(high, *LIMITS.stored_tissue)
    if len(high) > much * len(body) and stored > LIMITS.stored_tissue_max_fraction:
        return f"what may be soft tissue is near {np.median(high):.0f}"
    soft_tissue = _fraction(body, *LIMITS.soft_tissue_hu)
    lung_like = _fraction(body, LIMITS.air_max_hu, LIMITS.air_max_hu / 2)
    if soft_tissue < LIMITS.soft_tissue_min_fraction or lung_like > 0.5:
        return _NO_TISSUE
    without_air = floor > LIMITS.air_max_hu or len(values) - len(body) < 0.01 * len(values)
    soft_tissue = _fraction(body[body > LIMITS.fat_max_hu], *LIMITS.windowed_soft_tissue_hu)
    if without_air and soft_tissue < LIMITS.windowed_soft_tissue_min_fraction:
        return _NO_TISSUE
    return ""


def _without_padding(values: Values) -> Values:
    """Values without those that are repeated below air."""
    while len(values) and (lowest := values.min()) <= LIMITS.padding_max_hu:
        is_lowest = values == lowest
        if np.mean(is_lowest) < 0.002:
            break
        values = values[~is_lowest]
    low = values[values < LIMITS.air_quartile_min_hu]
    if len(low) and np.mean(np.abs(low - np.median(low)) < 2) > 0.5:  # resampled padding
        return values[values >= LIMITS.air_quartile_min_hu]
    return values


def _fraction(values: Values, low: float, high: float) -> float:
    return float(np.mean((values >= low) & (values <= high))) if len(values) else 0.0


def _most_frequent(values: Values) -> str:
    """The one or two most frequent values, in words."""
    low, high = np.quantile(values, [0.001, 0.999]).tolist()
    counts, edges = np.histogram(values, _BINS, (low, high))
    first = int(counts.argmax())
    apart = np.abs(np.arange(_BINS) - first) > _BINS // 4
    peaks = sorted({first, int((counts * apart).argmax())})
    number_format = ".0f" if edges[-1] - edges[0] > 100 else ".2g"
    return " and ".join(f"{(edges[i] + edges[i + 1]) / 2:{number_format}}" for i in peaks)


def _hint(values: Values) -> str:
    """The change that would make values plausible, in words; "" for none."""
    low, high = np.quantile(values, [0.01, 0.99])
    if high - low < LIMITS.normalised_max_range:
        return "; they were normalised: take the image from before that"
    for offset in LOST_INTERCEPTS:
        if not _distribution_fault(values + offset):
            return f"; adding {offset} makes them plausible: the rescale intercept was lost"
    return ""


def _two_scales(slices: Sequence[Values]) -> str:
    """The fault where some slices are off the HU scale of their neighbours; "" for none."""
    wrong = np.array([bool(_distribution_fault(values)) for values in slices])
    plausible = np.flatnonzero(~wrong)
    if not len(plausible):
        return ""
    offsets: list[float] = []
    for index in np.flatnonzero(wrong).tolist():
        values, neighbour = (
            slices[index],
            slices[int(plausible[np.abs(plausible - index).argmin()])],
        )
        inside = (values > LIMITS.padding_max_hu) & (neighbour > LIMITS.padding_max_hu)
        if inside.any() and np.ptp(values) > 0:  # a blank slice is of no scale
            offsets.append(float(np.median(values[inside] - neighbour[inside])))
    offsets = [offset for offset in offsets if abs(offset) > LIMITS.scale_step_hu]
    if not offsets:
        return ""
    return (
        f"{len(offsets)} of its {counted(len(slices), 'slice')} lie {np.median(offsets):+.0f} off "
        "those beside them: expected one scale of Hounsfield units; their rescale intercept was "
        "lost"
    )

"""Whether the values of a CT series can be Hounsfield units: air, fat and soft tissue in place.

What cannot be seen so: an offset of less than about 240 HU upwards or 150 HU downwards, or a scale
that leaves everything within the bounds below. All bounds are engineering values, wide enough for
virtual monoenergetic images of 40 to 190 keV, lungs, metal, noise, and images cut at a soft-tissue
window.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cl_seg.messages.plural import counted

SIDE = 64
"""Pixels of a slice that are looked at, per side."""

PADDING = -1024
"""Values that are repeated below it lie outside the image and say nothing."""

AIR, FAT, SOFT, BONE = -500, -60, (-40, 350), 350
"""Upper bounds of air (lungs included) and of fat, bounds of soft tissue, lower bound of bone."""

MOST_AIR = (-1150, -780)
"""Bounds of what may be air: a quarter may lie below the first, 95 % above the second."""

LITTLE_FAT_AND_AIR, LITTLE_SOFT = 0.01, 0.12
"""Shares of all values, and of those above air, below which one is missing."""

WINDOW, SOFT_IN_WINDOW, LITTLE_IN_WINDOW = 0.02, (20, 500), 0.3
"""Share of the lowest value from which on it is a bound that cut air off; soft tissue is then
asked for more closely, among what is above fat: air no longer shows the scale."""

WINDOW_FAT, LITTLE_WINDOW_FAT, LOW_FAT = (-250, FAT), 0.01, -150
"""Where fat is, 40 keV included, and its share of what is above a bound that cut air off; a bound
above the third may be fat itself."""

EIGHT_BITS = (-128, 127)
"""Least and largest value of what was stored in 8 bits with a sign; no window is cut there."""

BRIGHTEST, MUCH_BRIGHTEST = 3071, 0.1
"""Upper end of the 12-bit scale of CT, and the share of values beyond it that no metal has."""

STORED_TISSUE, STORED_SHARE = (800, 1300), 0.6
"""Where soft tissue and fat are in stored values, and the share of bone there that no bone has."""

LOST_INTERCEPTS = (-1024, -1000, 1024, 1000, -2048, 2048, -8192, 8192, -32768)
TWO_SCALES = 250
"""Median HU between slices side by side from which on they are on two scales."""

NORMALISED = 50
"""Range of values of no CT."""

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
    every = np.concatenate(slices)
    if scales := _two_scales(slices):
        return scales
    reason = _wrong(every)
    if not reason:
        return ""
    values = _without_padding(every)
    return (
        f"its values run from {every.min():g} to {every.max():g}: {_EXPECTED}, but {reason}, "
        f"and most are near {_seen(values if len(values) else every)}{_hint(every)}"
    )


def _wrong(values: Values) -> str:
    """The fault in the distribution of values, in words; "" for none."""
    values = _without_padding(values)
    if not len(values):
        return _NO_TISSUE
    floor = float(values.min())
    if (floor, float(values.max())) == EIGHT_BITS:
        return "these are the bounds of 8 bits"
    if _share(values, BRIGHTEST, np.inf) > MUCH_BRIGHTEST:
        return "much is brighter than the scale of CT"
    if np.mean(values == floor) > WINDOW:  # air, or what was cut off with it
        little_fat = _share(values[values > floor], *WINDOW_FAT) < LITTLE_WINDOW_FAT
        if AIR <= floor < LOW_FAT and little_fat:
            return "nothing is as low as fat"
        values = np.where(values == floor, min(floor, AIR - 1), values)
    if _share(values, -np.inf, FAT) < LITTLE_FAT_AND_AIR or floor > FAT:
        return "nothing is as low as fat or air"
    return (_wrong_air(values) if floor < AIR else "") or _wrong_tissue(values, floor)


def _wrong_air(values: Values) -> str:
    air = values[values < AIR]
    body = 1 - len(air) / len(values)
    if body > 0.95:
        return ""
    quarter, most = np.quantile(air, [0.25, 0.05])
    # Twice subtracted, fat is below air, soft tissue is taken for air and bone for a body.
    twice = body < 0.08 and _share(air, -np.inf, -1080) > 0.12
    if twice or quarter < MOST_AIR[0] or most > MOST_AIR[1]:
        return f"what may be air is near {np.median(air):.0f}"
    return ""


def _wrong_tissue(values: Values, floor: float) -> str:
    body = values[values >= AIR]
    high = body[body > BONE]
    much = 0.02 if _share(values, -np.inf, FAT) < 0.1 else 0.2
    if len(high) > much * len(body) and _share(high, *STORED_TISSUE) > STORED_SHARE:
        return f"what may be soft tissue is near {np.median(high):.0f}"
    if _share(body, *SOFT) < LITTLE_SOFT or _share(body, AIR, AIR / 2) > 0.5:
        return _NO_TISSUE
    without_air = floor > AIR or len(values) - len(body) < 0.01 * len(values)
    if without_air and _share(body[body > FAT], *SOFT_IN_WINDOW) < LITTLE_IN_WINDOW:
        return _NO_TISSUE
    return ""


def _without_padding(values: Values) -> Values:
    """Values without those that are repeated below air."""
    while len(values) and (lowest := values.min()) <= PADDING:
        is_lowest = values == lowest
        if np.mean(is_lowest) < 0.002:
            break
        values = values[~is_lowest]
    low = values[values < MOST_AIR[0]]
    if len(low) and np.mean(np.abs(low - np.median(low)) < 2) > 0.5:  # resampled padding
        return values[values >= MOST_AIR[0]]
    return values


def _share(values: Values, low: float, high: float) -> float:
    return float(np.mean((values >= low) & (values <= high))) if len(values) else 0.0


def _seen(values: Values) -> str:
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
    if high - low < NORMALISED:
        return "; they were normalised: take the image from before that"
    for offset in LOST_INTERCEPTS:
        if not _wrong(values + offset):
            return f"; adding {offset} makes them plausible: the rescale intercept was lost"
    return ""


def _two_scales(slices: Sequence[Values]) -> str:
    """The fault where some slices are off the HU scale of their neighbours; "" for none."""
    wrong = np.array([bool(_wrong(one)) for one in slices])
    plausible = np.flatnonzero(~wrong)
    if not len(plausible):
        return ""
    moved: list[float] = []
    for index in np.flatnonzero(wrong).tolist():
        one, other = slices[index], slices[int(plausible[np.abs(plausible - index).argmin()])]
        inside = (one > PADDING) & (other > PADDING)
        if inside.any() and np.ptp(one) > 0:  # a blank slice is of no scale
            moved.append(float(np.median(one[inside] - other[inside])))
    moved = [by for by in moved if abs(by) > TWO_SCALES]
    if not moved:
        return ""
    return (
        f"{len(moved)} of its {counted(len(slices), 'slice')} lie {np.median(moved):+.0f} off "
        "those beside them: expected one scale of Hounsfield units; their rescale intercept was "
        "lost"
    )

"""Labels resampled to pixels of another size such that every label keeps its area."""

import numpy as np
import numpy.typing as npt

Fractions = npt.NDArray[np.floating]
_PURE = (
    1e-3  # fraction below which a label does not count as present in a pixel (engineering value)
)
_DITHER = (
    5e-3  # below the differences of fractions that matter, it decides ties (engineering value)
)
_ROUNDS = 100
_ROUNDING = 1e-12  # of sums of fractions
_IRRATIONAL = (0.7548776662466927, 0.5698402909980532)
"""Steps of the plastic-number sequence, whose points fill a plane evenly (Roberts 2018)."""


def overlap_lengths(source: int, target: int) -> npt.NDArray[np.float64]:
    """Overlap of each of ``target`` pixels with each of ``source`` pixels on one line.

    Returns:
        (target, source) whole numbers, in units of which a source pixel has ``target`` and a
        target pixel ``source``; sums of products with whole numbers are exact.
    """
    begins = [np.arange(count) * other for count, other in ((target, source), (source, target))]
    low = np.maximum(begins[0][:, None], begins[1])
    high = np.minimum(begins[0][:, None] + source, begins[1] + target)
    lengths: npt.NDArray[np.float64] = np.maximum(high - low, 0).astype(float)
    return lengths


def assign_labels_by_fraction(
    fractions: Fractions, areas: npt.NDArray[np.floating]
) -> npt.NDArray[np.intp]:
    """Give every pixel one label such that each label keeps its area.

    Taking the label with the largest fraction would lose area wherever a structure is thin, and,
    with ties going to one side, at every second edge. Here a constant per label is added to its
    fractions before the largest wins, chosen so that each label gets as many pixels as its area
    asks for. This is the assignment with the largest total fraction among all that keep the areas
    (the dual of a transport problem; Aurenhammer, Hoffmann & Aronov 1998). Equal pixels are decided
    by an even spread over the plane, not by side.

    Args:
        fractions: (C, H, W), fraction of each pixel that a label covers; they sum to 1 over C.
        areas: (C,), area of each label in pixels; they sum to H · W.

    Returns:
        (H, W) index into C. A pixel only gets a label that covers some of it, so areas are kept up
        to the rounding to whole pixels.
    """
    return _assigned_around(fractions >= 1 - _PURE, fractions, areas)


def upsample_labels(
    probability: Fractions, decided: Fractions, areas: npt.NDArray[np.floating]
) -> npt.NDArray[np.intp]:
    """Labels on finer pixels than those a network predicts on, every label with the area it had.

    The largest of interpolated probabilities would shrink what is thin: a structure one pixel wide
    loses its ends and, aslant, its corners. Where all pixels around are of one label, so is the
    finer one; elsewhere the areas are kept as in :func:`assign_labels_by_fraction`.

    Args:
        probability: (C, H, W), interpolated on the finer pixels.
        decided: (C, H, W), 1 for the label with the largest probability and 0 for others,
            interpolated likewise.
        areas: (C,), area of each label in finer pixels; they sum to H · W.

    Returns:
        (H, W) index into C.
    """
    return _assigned_around(_pure(probability, decided), probability, areas)


def complete_labels(
    labels: npt.NDArray[np.integer],
    unknown: npt.NDArray[np.intp],
    probability: Fractions,
    decided: Fractions,
    areas: npt.NDArray[np.floating],
) -> None:
    """Give labels to the pixels that have none, as :func:`upsample_labels` gives them.

    Args:
        labels: (H, W), changed in place; a value that is no label in the unknown pixels.
        unknown: (M,) their places in the flattened image, ascending.
        probability: (C, M), interpolated on them.
        decided: (C, M), interpolated likewise.
        areas: (C,), area of each label in pixels of the whole image; they sum to H · W.
    """
    pure = _pure(probability, decided)
    for label, pixels in enumerate(pure):
        np.put(labels, unknown[pixels], label)
    mixed = ~pure.any(axis=0)
    left = areas - [np.count_nonzero(labels == label) for label in range(len(areas))]
    shared = _shared_out(unknown[mixed], probability[:, mixed], left, labels.shape)
    np.put(labels, unknown[mixed], shared)


def lengths_within(
    centres: npt.NDArray[np.floating], spacing: float, low: float, high: float
) -> npt.NDArray[np.float64]:
    """Length of each pixel of a row that lies between two places, in the unit of the arguments."""
    begin, end = (np.clip(centres + side * spacing / 2, low, high) for side in (-1, 1))
    lengths: npt.NDArray[np.float64] = end - begin
    return lengths


def _pure(probability: Fractions, decided: Fractions) -> npt.NDArray[np.bool_]:
    """Which label each pixel has without a choice, if any; of the shape of the arguments."""
    pure = decided > 1 - _PURE
    return pure | (probability >= 1 - _PURE) & ~pure.any(axis=0)


def _assigned_around(
    pure: npt.NDArray[np.bool_], fractions: Fractions, areas: npt.NDArray[np.floating]
) -> npt.NDArray[np.intp]:
    """(H, W) labels: the pure pixels', and in the others such that each label has its area."""
    labels = np.zeros(fractions.shape[1:], np.intp)
    for label, pixels in enumerate(pure):
        labels[pixels] = label
    mixed = np.flatnonzero(~pure.any(axis=0))
    left = areas - [np.count_nonzero(pixels) for pixels in pure]
    shares = fractions.reshape(len(fractions), -1)[:, mixed]
    labels.ravel()[mixed] = _shared_out(mixed, shares, left, labels.shape)
    return labels


def _shared_out(
    pixels: npt.NDArray[np.intp],
    shares: Fractions,
    areas: npt.NDArray[np.floating],
    shape: tuple[int, ...],
) -> npt.NDArray[np.intp]:
    """(M,) labels of pixels such that each label has its area, if it covers some of so many.

    Args:
        pixels: (M,) places in the flattened image.
        shares: (C, M), fraction of each pixel that a label covers.
        areas: (C,), areas that the labels should have in these pixels.
        shape: (H, W) of the image.
    """
    if not len(pixels):
        return pixels
    # What is not in a pixel stays out of it, however the spread decides ties.
    spread = np.where(shares > _PURE, shares + _spread(pixels, len(shares), shape[1]), -np.inf)
    return _assigned(spread, _whole(np.maximum(areas, 0), len(pixels)))


def _spread(pixels: npt.NDArray[np.intp], count: int, width: int) -> Fractions:
    """(C, M) small numbers, evenly spread over M pixels, unrelated between ``count`` labels."""
    where = np.stack(np.divmod(pixels, width)).astype(float)
    turns = np.outer(np.arange(1, count + 1), _IRRATIONAL) @ where
    spread: Fractions = _DITHER * (turns - np.floor(turns))
    return spread


def _whole(areas: npt.NDArray[np.floating], total: int) -> npt.NDArray[np.intp]:
    """Whole numbers in proportion to areas that sum to ``total``, by largest remainders."""
    whole_area = areas.sum()
    scaled = areas * (total / whole_area) if whole_area else np.full(len(areas), total / len(areas))
    whole: npt.NDArray[np.intp] = np.floor(scaled).astype(np.intp)
    whole[np.argsort(whole - scaled, kind="stable")[: total - whole.sum()]] += 1
    return whole


def _assigned(value: Fractions, wanted: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """(M,) labels of pixels in numbers as near the wanted ones as can be.

    Args:
        value: (C, M), of a label in a pixel, -inf where it is not in it.
        wanted: (C,), number of pixels of each label.
    """
    raised = value.copy()
    labels = np.asarray(value.argmax(axis=0))
    for _ in range(_ROUNDS):
        if np.array_equal(np.bincount(labels, minlength=len(value)), wanted):
            break
        for label, number in enumerate(wanted):
            raised[label] = -np.inf
            needed = raised.max(axis=0) - value[label]  # to be added, for one pixel more at a time
            raised[label] = value[label] + _between(np.sort(needed), int(number))
        labels = raised.argmax(axis=0)
    else:  # constants that are found one after the other may circle
        _move_surplus(labels, value, wanted)
    return labels


def _move_surplus(
    labels: npt.NDArray[np.intp], value: Fractions, wanted: npt.NDArray[np.intp]
) -> None:
    """Change labels (M,) in place until each has its number of pixels, where that can be.

    Successive shortest paths (Ahuja, Magnanti & Orlin 1993, Network Flows, section 9.7): a label
    with too many pixels gives one away along the chain of labels that costs least value.
    """
    while (surplus := np.bincount(labels, minlength=len(value)) - wanted).any():
        chain = _cheapest_chain(labels, value, surplus)
        if not chain:
            return
        for pixel, label in chain:
            labels[pixel] = label


def _cheapest_chain(
    labels: npt.NDArray[np.intp], value: Fractions, surplus: npt.NDArray[np.intp]
) -> list[tuple[int, int]]:
    """Pixels and their new labels, from a label with too many to one with too few; may be empty."""
    count = len(value)
    costs, cheapest = np.full((count, count), np.inf), np.zeros((count, count), np.intp)
    for label in range(count):
        own = np.flatnonzero(labels == label)
        if len(own):
            loss = value[label, own] - value[:, own]
            costs[label], cheapest[label] = loss.min(axis=1), own[loss.argmin(axis=1)]
    length, before = np.where(surplus > 0, 0.0, np.inf), np.full(count, -1)
    for _ in range(count - 1):  # Bellman & Ford
        ways = length[:, None] + costs
        shorter = ways.min(axis=0) < length - _ROUNDING
        before[shorter], length[shorter] = ways.argmin(axis=0)[shorter], ways.min(axis=0)[shorter]
    label, chain = int(np.where(surplus < 0, length, np.inf).argmin()), []
    while before[label] >= 0:
        chain.append((int(cheapest[before[label], label]), label))
        label = int(before[label])
    return chain


def _between(needed: npt.NDArray[np.floating], number: int) -> float:
    """A constant that suffices for ``number`` of the needed ones (sorted) and not for the next."""
    low = needed[number - 1] if number else -np.inf
    high = needed[number] if number < len(needed) else np.inf
    if not np.isfinite(low) and not np.isfinite(high):
        return 0.0
    if not np.isfinite(high):
        return float(low) + 1.0
    return float(high) - 1.0 if not np.isfinite(low) else float((low + high) / 2)

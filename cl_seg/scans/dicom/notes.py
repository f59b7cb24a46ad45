"""Notes on a series from its headers: gaps between its slices, derived images.

Such series are used: only who knows them can say whether that is right.
"""

import math
from collections.abc import Sequence

import numpy as np

from cl_seg.scans.dicom.header import ImageHeader
from cl_seg.scans.slice_spacing import usual_step

_GAP_IN_THICKNESSES = 1.1
"""Thicknesses between slices from which on there is a gap (engineering value)."""

_PLAIN_CT_WORDS = {
    *("DERIVED", "PRIMARY", "SECONDARY", "AXIAL", "REFORMATTED", "RESAMPLED", "VOLUME", "NONE"),
    *("MPR", "AVERAGE", "HELIX", "HELICAL", "SPIRAL", "SEQ", "SPI", "CSA"),
    *("CT_SOM5", "CT_SOM7", "CT_SOM8", "CT_SOM9", "CT_SOMX"),
}
"""Words of ImageType (PS3.3 C.8.2.1.1.1, and vendors' own) of images whose values are plain HU."""

_VALUE_4 = 4  # of ImageType, which says what was made of several energies (C.8.2.1.1.1)
_MULTI_ENERGY = (
    "several energies were measured (MultienergyCTAcquisition), and ImageType does not say what "
    "was made of them: leave it out if it is no plain CT"
)
_MAX_WORDS_SHOWN = 6  # words of ImageType that are listed


def header_notes(images: Sequence[ImageHeader]) -> tuple[str, ...]:
    """Notes on a series; ``images`` are sorted by z."""
    return *_apart(images), *_derived(images)


def _apart(images: Sequence[ImageHeader]) -> list[str]:
    """Note on slices further apart than they are thick, as when every second one is lost."""
    steps = np.diff([image.plane.position[2] for image in images])
    thick = images[0].thickness_mm
    if not len(steps) or not math.isfinite(thick) or thick <= 0:
        return []
    usual, _ = usual_step(steps)  # larger ones are reported as gaps
    if usual <= _GAP_IN_THICKNESSES * thick:
        return []
    return [
        f"slices of {thick:g} mm lie {usual:.4g} mm apart: some are missing, or the scanner left "
        "gaps"
    ]


def _derived(images: Sequence[ImageHeader]) -> list[str]:
    if images[0].scanner_header.kind:  # reported with its scanner
        return []
    derived = [image.image_type for image in images if "DERIVED" in image.image_type]
    words = dict.fromkeys(word for one in derived for word in one if word not in _PLAIN_CT_WORDS)
    if not words:
        untold = any(image.multi_energy and len(image.image_type) < _VALUE_4 for image in images)
        return [_MULTI_ENERGY] if untold else []
    more = " …" if len(words) > _MAX_WORDS_SHOWN else ""
    return [
        f"derived images (ImageType {', '.join(list(words)[:_MAX_WORDS_SHOWN])}{more}): leave them "
        "out if their values are not those of a plain CT"
    ]

"""A patient on a scanner: preparation, position on the table and field of view."""

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.body import Preparation
from cl_seg.phantom.profiles import Profile
from cl_seg.scans.store import Grid

FOV_STEP_MM = 25.0  # fields of view are chosen in steps, as at a console
FOV_LIMITS_MM = (350.0, 500.0)


def draw_centring(profile: Profile, rng: np.random.Generator) -> tuple[float, float]:
    """Draw the middle of a body, (x, y) in mm from the isocentre."""
    sd = profile.protocol.centring_sd_mm
    x, y = (mean + float(rng.normal(0, sd)) for mean in profile.protocol.off_centre_mm)
    return x, y


def draw_preparation(profile: Profile, rng: np.random.Generator) -> Preparation:
    """Draw how a patient lies on the table.

    With the same random generator, a patient who has the arms lowered on one scanner has them
    lowered on all scanners with a larger fraction of such patients.
    """
    protocol = profile.protocol
    drinks, lowers, fused = rng.random(3)
    return Preparation(
        oral_contrast=bool(drinks < protocol.oral_contrast),
        arms_lowered=bool(lowers < protocol.arms_lowered),
        implants=bool(fused < protocol.implants),
    )


def field_of_view(
    surface: npt.NDArray[np.float32], grid: Grid, margin_mm: float, x_mm: float
) -> float:
    """Diameter of the image in mm, about the isocentre, that holds a body and a margin.

    Args:
        surface: (N, N) signed distance to the skin in mm, negative inside.
        grid: of the surface.
        margin_mm: beyond the body.
        x_mm: how far the body lies beside the isocentre.
    """
    inside = np.flatnonzero((surface < 0).any(axis=0))
    width = (inside[-1] - inside[0] + 1) * grid.spacing_mm + 2 * abs(x_mm)
    steps = np.ceil((width + margin_mm) / FOV_STEP_MM)
    return float(np.clip(steps * FOV_STEP_MM, *FOV_LIMITS_MM))

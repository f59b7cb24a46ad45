"""Scores as pure functions on arrays: of one segmentation, and of a stream of experiences.

>>> from cl_seg.metrics import bwt, dice
>>> dice([1, 1, 0, 0], [1, 0, 1, 0])
0.5
>>> bwt([[0.0, 0.0], [0.75, 0.25], [0.5, 0.75]])  # R: untrained, after scanner 1, after scanner 2
-0.25
"""

from cl_seg.metrics.agreement import BlandAltman, bland_altman, intraclass_correlation
from cl_seg.metrics.body_composition import (
    area_bias_percent,
    area_cm2,
    area_error_percent,
    low_attenuation_share,
    mean_hu,
    skeletal_muscle_index,
)
from cl_seg.metrics.burden import kept_share, replayed_share
from cl_seg.metrics.continual import (
    acc,
    bwt,
    extended_fwt,
    forgetting,
    fwt,
    intransigence,
    plasticity,
    relative_forgetting,
    rma,
    stability_gap,
    unseen_dice,
    worst_scanner,
)
from cl_seg.metrics.effort import added_path_length, area_to_correct
from cl_seg.metrics.returns import lost_before_return, regained, returns_of, steps_to_relearn
from cl_seg.metrics.segmentation import assd, dice, hd95, iou, surface_dice
from cl_seg.metrics.spread import Spread, case_percentiles, order_spread

__all__ = [
    "BlandAltman",
    "Spread",
    "acc",
    "added_path_length",
    "area_bias_percent",
    "area_cm2",
    "area_error_percent",
    "area_to_correct",
    "assd",
    "bland_altman",
    "bwt",
    "case_percentiles",
    "dice",
    "extended_fwt",
    "forgetting",
    "fwt",
    "hd95",
    "intraclass_correlation",
    "intransigence",
    "iou",
    "kept_share",
    "lost_before_return",
    "low_attenuation_share",
    "mean_hu",
    "order_spread",
    "plasticity",
    "regained",
    "relative_forgetting",
    "replayed_share",
    "returns_of",
    "rma",
    "skeletal_muscle_index",
    "stability_gap",
    "steps_to_relearn",
    "surface_dice",
    "unseen_dice",
    "worst_scanner",
]

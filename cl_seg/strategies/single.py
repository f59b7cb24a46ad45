"""A network of its own for every scanner, trained from scratch."""

from cl_seg.strategies.strategy import Settings, Strategy

STRATEGY = Strategy("Single", Settings, training_regime="single")

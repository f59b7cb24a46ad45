"""Plain fine-tuning on one scanner after another, the lower bound."""

from cl_seg.strategies.strategy import Settings, Strategy

STRATEGY = Strategy("Naive", Settings)

"""A network of its own for every scanner, trained from scratch."""

from cl_seg.strategies.declaration import Settings, Strategy

STRATEGY = Strategy("Single", Settings, training_scheme="single")

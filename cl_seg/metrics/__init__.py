"""Scores as pure functions on arrays: of one segmentation, and of a stream of experiences."""

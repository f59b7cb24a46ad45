"""Bodies: axial slices of the abdomen as tissue fractions, in millimetres, drawn from a seed.

``body`` draws a person → ``contours`` and ``torso`` lay out one level → every organ file holds
painters, which ``slices`` calls in order on a ``canvas`` of implicit ``shapes`` and random fields.
A ``field`` is computed only where it is read; ``layers`` are what was painted, seen from above.
A painter has a random generator of its own, named by its function: adding an organ leaves all
others as they are, and renaming a painter draws another one.
"""

"""Bodies: axial slices of the abdomen as tissue fractions, in millimetres, drawn from a seed.

``body`` draws a person; ``torso`` lays out one level of a body; ``canvas`` paints the implicit
shapes of ``shapes``; every organ file holds painters, which ``slices`` calls in order. A painter
has a random stream of its own, named by its function: adding an organ leaves all others as they
are, and renaming a painter draws another one.
"""

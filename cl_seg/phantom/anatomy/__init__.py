"""Bodies: axial slices of the abdomen as tissue fractions, in millimetres, drawn from a seed.

``canvas`` paints implicit shapes; ``body`` draws who somebody is; ``torso`` lays out one level of
a body; each organ file holds painters; ``slices`` calls them in order. Every painter has a random
stream of its own, so that adding an organ leaves all others as they are.
"""

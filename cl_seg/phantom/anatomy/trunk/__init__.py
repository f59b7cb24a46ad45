"""The trunk from the sacrum to above the dome of the liver: any height of a body, not two levels.

Lengths along the spine are those of the average man, from the middle of the third lumbar vertebra
upwards (``positions``); a body's scale makes them millimetres. ``outline`` lays out a slice at its
height, ``solids`` are organs in three dimensions, and every other file holds painters, which
``painters`` lists in order. Proportions are engineering values after atlases of axial anatomy
unless a source stands beside them.
"""

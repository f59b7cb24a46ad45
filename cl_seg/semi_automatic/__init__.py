"""Semi-automatic segmentation as a baseline: a person clicks, an algorithm does the rest.

The person is simulated from the truth: clicks are placed as well as can be, and steps that make the
result worse are undone. Scores are therefore optimistic. Every click and every corner of a polygon
is counted. These are textbook methods; none of them is a commercial product.
"""

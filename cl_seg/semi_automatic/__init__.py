"""Semi-automatic segmentation as a baseline: a person clicks, an algorithm does the rest.

The person is simulated from the truth: clicks are placed as well as can be, and what does harm is
taken back. Results are optimistic. Every interaction is counted. These are textbook methods; none
of them is a commercial product.
"""

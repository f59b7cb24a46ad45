"""The contract: checks, by a few tiny trainings, that a strategy works on segmentation masks.

A crash shows at once; a strategy that silently does nothing, or that trains other weights after it
was resumed, does not. Every check is a small experiment against plain fine-tuning with the same
seeds. Read in this order: ``subject`` (the strategy that is checked), ``trial`` (how it is
trained), ``points`` (the checks), ``check`` (their results).
"""

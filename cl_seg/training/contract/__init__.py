"""The contract that every strategy is held to on dense targets, by a few tiny trainings.

A crash shows at once; a strategy that silently does nothing, or something else than it does when a
run is taken up again, does not. Every point is a small experiment against plain fine-tuning with
the same seeds. Read in this order: ``subject`` (what is tried), ``trial`` (how it is trained),
``points`` (what has to hold), ``check`` (the verdicts).
"""

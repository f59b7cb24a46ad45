"""Checks that every strategy has to pass on dense targets, each by a few tiny trainings.

A crash shows at once. A strategy that silently does nothing, or that trains differently after a
run was resumed, does not. So most checks compare a tiny training with another one from the same
seeds, such as plain fine-tuning. Read in this order: ``strategy_under_test``, ``tiny_training``,
``checks`` and ``run_checks``.
"""

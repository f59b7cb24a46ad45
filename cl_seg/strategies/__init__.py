"""Continual-learning strategies as Avalanche plugins that are right for dense targets."""

"""A process made ready: torch, worker processes, modules named by text."""

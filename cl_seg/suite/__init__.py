"""A suite: the grid of runs it stands for, running them, and what is kept of each."""

"""Set-up of processes: torch, workers, modules given as text."""

"""Recomputes a sample of finished results and says whether they are still the same."""

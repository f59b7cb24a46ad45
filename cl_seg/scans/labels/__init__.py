"""Label files: meaning of their values, their grid, and checks against the CT."""

"""Rankings of slices to label first."""

"""Rankings of slices: which to label first, and which to keep in a memory."""

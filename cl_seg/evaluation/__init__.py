"""A network's labels of slices, and their scores per case and class."""

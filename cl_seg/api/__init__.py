"""The Python API behind ``import cl_seg``; the command line is a caller of it."""

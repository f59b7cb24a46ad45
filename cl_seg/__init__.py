"""cl_seg measures catastrophic forgetting of CT segmentation models across scanners."""

__version__ = "0.1.0"

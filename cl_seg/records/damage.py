"""The error of results that are there and cannot be read."""

from cl_seg.messages.errors import InputError


class DamagedResults(InputError):
    """Results are there, and cannot be read."""

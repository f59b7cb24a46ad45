"""What is fuzzed: each function gives bytes to a reader, which may refuse them in its own words.

Anything else it raises is a bug.
"""

import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cl_seg.messages.errors import InputError
from cl_seg.models.registry import NETWORKS
from cl_seg.scans.dicom.header import read_header
from cl_seg.scans.series import Pseudonyms, UnusableError
from cl_seg.scans.sources.manifest import read_manifest
from cl_seg.spec.read import read_suite
from cl_seg.strategies.registry import STRATEGIES

FOLDER = tempfile.TemporaryDirectory(prefix="cl-seg-fuzz-")


def dicom_header(content: bytes) -> None:
    """The header of a DICOM file."""
    path = _file(content, ".dcm")
    with suppress(UnusableError):
        read_header(path, path.parent, Pseudonyms(b"salt"))


def manifest(content: bytes) -> None:
    """The table of a manifest."""
    with suppress(InputError):
        read_manifest(_file(content, ".csv"), ["muscle", "liver"])


def suite(content: bytes) -> None:
    """A suite."""
    with suppress(InputError):
        read_suite(_file(content, ".yaml"), NETWORKS, STRATEGIES)


def _file(content: bytes, suffix: str) -> Path:
    """The same file every time, with some content: making folders would take most of the time."""
    path = Path(FOLDER.name) / f"input{suffix}"
    path.write_bytes(content)
    return path


TARGETS: dict[str, Callable[[bytes], None]] = {
    "dicom_header": dicom_header,
    "manifest": manifest,
    "suite": suite,
}

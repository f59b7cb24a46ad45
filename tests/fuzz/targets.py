"""What is fuzzed: each function gives bytes to a reader, which may refuse them in its own words.

Anything else it raises is a bug.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cl_seg.files import InputError
from cl_seg.models.declared import NETWORKS
from cl_seg.scans.dicom_header import read_header
from cl_seg.scans.manifest import read_manifest
from cl_seg.scans.series import Pseudonyms, UnusableError
from cl_seg.spec.read import read_suite
from cl_seg.strategies.declared import STRATEGIES


def dicom_header(content: bytes) -> None:
    """The header of a DICOM file."""
    with _file(content, ".dcm") as path, suppress(UnusableError):
        read_header(path, path.parent, Pseudonyms(b"salt"))


def manifest(content: bytes) -> None:
    """The table of a manifest."""
    with _file(content, ".csv") as path, suppress(InputError):
        read_manifest(path, ["muscle", "liver"])


def suite(content: bytes) -> None:
    """A suite."""
    with _file(content, ".yaml") as path, suppress(InputError):
        read_suite(path, NETWORKS, STRATEGIES)


@contextmanager
def _file(content: bytes, suffix: str) -> Iterator[Path]:
    """A file with some content, gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"input{suffix}"
        path.write_bytes(content)
        yield path


TARGETS: dict[str, Callable[[bytes], None]] = {
    "dicom_header": dicom_header,
    "manifest": manifest,
    "suite": suite,
}

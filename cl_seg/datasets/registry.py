"""Public sets that can be read, listed without importing their readers.

A new set is one file with a ``read(folder, options)`` plus one entry here.
"""

from dataclasses import dataclass

CLASS, SLICES_OF, SCANNERS, ALIASES = "--class", "--slices-of", "--scanners", "--aliases"


@dataclass(frozen=True)
class DatasetEntry:
    """A set that can be read.

    Attributes:
        title: name in messages.
        module: where its ``read`` is, which takes a folder and
            :class:`~cl_seg.datasets.dataset.DatasetOptions` and returns a
            :class:`~cl_seg.datasets.dataset.DataSet`.
        takes: options of the command line that mean something for it.
    """

    title: str
    module: str
    takes: tuple[str, ...] = ()


_PACKAGE = "cl_seg.datasets"
DATASETS: dict[str, DatasetEntry] = {
    "totalsegmentator": DatasetEntry(
        "TotalSegmentator CT v2", f"{_PACKAGE}.totalsegmentator", (CLASS, SLICES_OF, ALIASES)
    ),
    "amos22": DatasetEntry("AMOS22", f"{_PACKAGE}.amos22", (ALIASES,)),
    "saros": DatasetEntry("SAROS", f"{_PACKAGE}.saros", (ALIASES,)),
    "nnunet": DatasetEntry("nnU-Net v2 raw", f"{_PACKAGE}.nnunet", (SCANNERS,)),
    "msd": DatasetEntry("Medical Segmentation Decathlon", f"{_PACKAGE}.msd", (SCANNERS,)),
    "dicom_seg": DatasetEntry("DICOM with DICOM SEG", f"{_PACKAGE}.dicom_seg", (CLASS,)),
}

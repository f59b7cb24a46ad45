"""Identity of a scanner: the header fields that name it, and the names we show.

By default a scanner is manufacturer + model + kernel class + tube voltage rounded to 10 kV; the
user may choose other parts. A kind of image that is no plain CT is always a scanner of its own.
Folder and file names are never looked at.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field, replace

from cl_seg.messages.errors import InputError

IDENTITY_FIELDS = ("manufacturer", "model", "kernel", "kv", "station")
"""Header fields that can tell scanners apart."""

DEFAULT_BY = ("manufacturer", "model", "kernel", "kv")

NO_STATION = "unknown"


@dataclass(frozen=True)
class ScannerHeader:
    """Header values that name a scanner, as the vendor writes them.

    Attributes:
        manufacturer: Manufacturer (0008,0070).
        model: ManufacturerModelName (0008,1090).
        kernel: first value of ConvolutionKernel (0018,1210), "" when absent.
        kvp: KVP (0018,0060) in kV, NaN when absent.
        given_name: scanner name given by the user, which goes before the header; "" for none.
        kind: of image, see :func:`cl_seg.scans.scanner.image_kind.image_kind`; "" for a plain CT.
        station: salted hash of StationName (0008,1010), "" when absent.
    """

    manufacturer: str = ""
    model: str = ""
    kernel: str = ""
    kvp: float = float("nan")
    given_name: str = ""
    kind: str = ""
    station: str = ""


@dataclass(frozen=True)
class Scanner:
    """A scanner: two series with equal scanners belong to the same experience.

    Attributes:
        make_and_model: manufacturer and model, e.g. "Siemens Sensation 64", or the name the user
            gave.
        kernel_class: class of the kernel within this vendor, None where it does not count.
        kv: tube voltage rounded to 10 kV, 0 when unknown, None where it does not count.
        key: case-folded text that decides equality of spelling variants.
        named_by_user: whether the user named it.
        station: hashed, ``NO_STATION`` when the header has none, "" where it does not count.
        kind: of image, "" for a plain CT; always counts.
    """

    make_and_model: str = field(compare=False)
    kernel_class: str | None
    kv: int | None
    key: str
    named_by_user: bool = False
    station: str = ""
    kind: str = ""

    def display_name(self, kernels: set[str]) -> str:
        """Name for tables and figures, e.g. "Siemens Sensation 64 · B40f · 120 kV".

        Args:
            kernels: kernels of this scanner's series, as the vendor writes them.
        """
        shown = "/".join(sorted(kernels - {""})) or "kernel unknown"
        kernel = [] if self.kernel_class is None else [shown]
        return " · ".join([self.make_and_model, *kernel, *self._after_kernel()])

    def _after_kernel(self) -> list[str]:
        voltage = [] if self.kv is None else [f"{self.kv} kV" if self.kv else "kV unknown"]
        station = [f"station {self.station}"] if self.station else []
        return [*voltage, *station, *([self.kind] if self.kind else [])]

    @property
    def folder_name(self) -> str:
        """Safe folder name of lower-case ASCII letters, digits and ``-``."""
        parts = [self.make_and_model]
        if self.kernel_class is not None:
            parts.append(self.kernel_class)
        if self.kv is not None:
            parts.append(f"{self.kv}kv" if self.kv else "unknown-kv")
        if self.station:
            parts.append(f"station {self.station}")
        return slug(" ".join([*parts, self.kind]))

    def is_stored_as(self, folder: str, name: str) -> bool:
        """True where a store's scanner, by its folder and display name, is this one.

        Folder names alone do not tell: they have ASCII letters only, and a number where two
        scanners would have the same. Stations that nobody named are not the same one.
        """
        return self.station != NO_STATION and self._is_named(folder, name)

    def may_be_stored_as(self, folder: str, name: str) -> bool:
        """True where a store's scanner is this one, as far as can be known without the station.

        Codes of stations of two ingests compare only if both had the same salt.
        """
        code = re.search(rf" · station ([0-9a-f]{{6}}|{NO_STATION})(?= · |$)", name)
        if not self.station or code is None:
            return False
        return replace(self, station=code[1])._is_named(folder, name)

    def _is_named(self, folder: str, name: str) -> bool:
        if self.named_by_user:
            return name.casefold() == self.display_name(set()).casefold()
        if re.fullmatch(rf"{re.escape(self.folder_name)}(-\d+)?", folder) is None:
            return False
        device, *others = name.split(" · ")
        after = others if self.kernel_class is None else others[1:]
        return device_key(device) == self.key and after == self._after_kernel()


def parse_scanner_by(text: str) -> tuple[str, ...]:
    """The user's list of identity fields, in the order of ``IDENTITY_FIELDS``.

    Raises:
        InputError: an unknown word, or no manufacturer.
    """
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    if unknown := [word for word in words if word not in IDENTITY_FIELDS]:
        raise InputError(
            f"`scanner_by` (--scanner-by): {unknown[0]} is none of {', '.join(IDENTITY_FIELDS)}: "
            "list what tells "
            f"scanners apart, e.g. {','.join(DEFAULT_BY[:2])}"
        )
    if IDENTITY_FIELDS[0] not in words:
        raise InputError(
            f"`scanner_by` (--scanner-by {text}): name the {IDENTITY_FIELDS[0]} too, e.g. "
            f"{','.join(DEFAULT_BY[:2])}: models and kernels of two manufacturers may have one name"
        )
    return tuple(part for part in IDENTITY_FIELDS if part in words)


def device_key(device: str) -> str:
    """Text by which devices are compared: "Definition AS" and "Definition AS+" are two models."""
    return fold(device.replace("+", " plus "))


def plain(text: str) -> str:
    """Foreign text on one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def fold(text: str) -> str:
    """Spelling-independent form: case, accents of width, spaces and punctuation do not count."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    # Case folding can undo the composed form, so normalise once more.
    folded = unicodedata.normalize("NFKC", folded)
    return " ".join(re.sub(r"[\W_]+", " ", folded).split())


def slug(text: str) -> str:
    """Folder name made of lower-case ASCII letters, digits and ``-``; never empty."""
    ascii_only = unicodedata.normalize("NFKD", text.replace("+", " plus ")).encode(
        "ascii", "ignore"
    )
    name = re.sub(r"[^a-z0-9]+", "-", ascii_only.decode().lower()).strip("-")[:80]
    return name or "scanner-" + hashlib.blake2b(text.encode(), digest_size=4).hexdigest()

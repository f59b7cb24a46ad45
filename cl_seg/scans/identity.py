"""What a scanner is: the words of a header that name it, and the names we show.

A scanner is manufacturer + model + kernel class + tube voltage rounded to 10 kV. Folder and file
names are never looked at.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Acquisition:
    """Header values that name a scanner, as the vendor writes them.

    Attributes:
        manufacturer: Manufacturer (0008,0070).
        model: ManufacturerModelName (0008,1090).
        kernel: first value of ConvolutionKernel (0018,1210), "" when absent.
        kvp: KVP (0018,0060) in kV, NaN when absent.
        given_name: scanner name given by the user, which goes before the header; "" for none.
    """

    manufacturer: str = ""
    model: str = ""
    kernel: str = ""
    kvp: float = float("nan")
    given_name: str = ""


@dataclass(frozen=True)
class Scanner:
    """A scanner: two series with equal scanners belong to the same experience.

    Attributes:
        device: manufacturer and model, or the name the user gave, e.g. "Siemens Sensation 64".
        kernel_class: class of the kernel within this vendor, "" when the name was given.
        kv: tube voltage rounded to 10 kV, 0 when unknown or when the name was given.
        key: case-folded text that decides equality of spelling variants.
    """

    device: str = field(compare=False)
    kernel_class: str
    kv: int
    key: str
    given: bool = False

    def display_name(self, kernels: set[str]) -> str:
        """Name for tables and figures, e.g. "Siemens Sensation 64 · B40f · 120 kV".

        Args:
            kernels: kernels of this scanner's series, as the vendor writes them.
        """
        if self.given:
            return self.device
        shown = "/".join(sorted(kernels - {""})) or "kernel unknown"
        return f"{self.device} · {shown} · {f'{self.kv} kV' if self.kv else 'kV unknown'}"

    @property
    def folder_name(self) -> str:
        """Safe folder name of lower-case ASCII letters, digits and ``-``."""
        parts = [self.device]
        if not self.given:
            parts += [self.kernel_class, f"{self.kv}kv" if self.kv else "unknown-kv"]
        return slug(" ".join(parts))

    def is_stored_as(self, folder: str, name: str) -> bool:
        """True where a store's scanner, by its folder and display name, is this one.

        Folder names alone do not tell: they have ASCII letters only, and a number where two
        scanners would have the same.
        """
        if self.given:
            return name.casefold() == self.key
        numbered = re.fullmatch(rf"{re.escape(self.folder_name)}(-\d+)?", folder) is not None
        return numbered and device_key(name.partition(" · ")[0]) == self.key


def device_key(device: str) -> str:
    """What decides equality of devices: "Definition AS" and "Definition AS+" are two models."""
    return fold(device.replace("+", " plus "))


def plain(text: str) -> str:
    """Text on one line without control characters, for what others have written."""
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

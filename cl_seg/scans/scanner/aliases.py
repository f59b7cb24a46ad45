"""Looks up the scanner of a series: header values in an editable alias table."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import product
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, ValidationError

from cl_seg.files.yaml_file import YamlFile
from cl_seg.messages.errors import InputError
from cl_seg.messages.pydantic_errors import dotted
from cl_seg.scans.scanner.identity import (
    DEFAULT_BY,
    IDENTITY_FIELDS,
    NO_STATION,
    Scanner,
    ScannerHeader,
    device_key,
    fold,
)
from cl_seg.scans.scanner.image_kind import CONE_BEAM, MONOENERGETIC, NO_ENERGY
from cl_seg.scans.scanner.manufacturer import (
    is_anonymised,
    is_software,
    split_manufacturer,
    without_company_words,
    without_software,
)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression") from error
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]


class VendorEntry(BaseModel):
    """One manufacturer in a file of aliases, see the head of ``scanner_aliases.yaml``."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    names: list[str] = []
    models: dict[str, str] = {}
    kernels: dict[str, Pattern] = {}
    cone_beam: Pattern | None = None


_TABLE = TypeAdapter(dict[str, VendorEntry])
_EXPECTED = {
    "": 'lines like  Acme: {names: ["ACME CT"]}',
    "names": 'a list of texts, e.g. names: ["ACME CT"]',
    "models": "texts with texts, e.g. models: {MK1: Mark 1}",
    "kernels": "texts with regular expressions, e.g. kernels: {soft: 'B[1-3]'}",
}


@dataclass(frozen=True)
class Vendor:
    """One manufacturer of the alias table; ``cone_beam`` are the models that are no CT."""

    name: str
    models: dict[str, str]
    kernels: dict[str, str]
    cone_beam: str = ""


class Aliases:
    """The alias table: the one that comes with the package, with the user's own merged on top.

    Raises:
        InputError: the user's file cannot be read or is not of the documented form.
    """

    def __init__(self, own: Path | None = None) -> None:
        packaged = resources.files("cl_seg.scans.scanner").joinpath("scanner_aliases.yaml")
        self._vendors: dict[str, Vendor] = {}
        self._add(_TABLE.validate_python(yaml.safe_load(packaged.read_text(encoding="utf-8"))))
        if own is not None:
            self._add(_read(own))

    def _add(self, table: dict[str, VendorEntry]) -> None:
        known = {vendor.name: vendor for vendor in self._vendors.values()}
        for name, entry in table.items():
            old = known.get(name, Vendor(name, {}, {}))
            models = {fold(key): shown for key, shown in entry.models.items()}
            # The later table's kernel patterns are tried first.
            kernels = entry.kernels | {
                k: v for k, v in old.kernels.items() if k not in entry.kernels
            }
            cone_beam = old.cone_beam if entry.cone_beam is None else entry.cone_beam
            vendor = Vendor(name, old.models | models, kernels, cone_beam)
            spellings = [key for key, value in self._vendors.items() if value.name == name]
            names = [name, *entry.names]
            for spelling in [*spellings, *map(fold, names)]:
                self._vendors[spelling] = vendor
            for core in (core for name in names for core in without_company_words(name)):
                self._vendors.setdefault(core, vendor)

    def identify(
        self, scanner_header: ScannerHeader, by: Sequence[str] = DEFAULT_BY
    ) -> Scanner | None:
        """The scanner of a header, or None when its manufacturer is not in the table.

        Args:
            scanner_header: of a series.
            by: which of ``IDENTITY_FIELDS`` tell scanners apart; the kind of image always does.
        """
        vendor = self._vendor(scanner_header.manufacturer)
        kind = _kind(vendor, scanner_header)
        if scanner_header.given_name:
            device = " ".join(scanner_header.given_name.split())
            kind = kind.replace(NO_ENERGY, MONOENERGETIC)  # the user knows the energy
            return Scanner(device, None, None, device.casefold(), named_by_user=True, kind=kind)
        if vendor is None:
            return None
        written = " ".join(scanner_header.model.replace("_", " ").split()) or "unknown model"
        model = vendor.models.get(fold(scanner_header.model), written)
        device = f"{vendor.name} {model}" if "model" in by else vendor.name
        return Scanner(
            device,
            _kernel_class(vendor, scanner_header.kernel.strip()) if "kernel" in by else None,
            _bucket(scanner_header.kvp) if "kv" in by else None,
            device_key(device),
            station=(scanner_header.station or NO_STATION) if "station" in by else "",
            kind=kind,
        )

    def identify_by_every_choice_of_fields(self, scanner_header: ScannerHeader) -> list[Scanner]:
        """The scanners a header may be stored as, for every choice of fields."""
        optional = IDENTITY_FIELDS[1:]
        ways = [
            (
                IDENTITY_FIELDS[0],
                *(part for part, counts in zip(optional, chosen, strict=True) if counts),
            )
            for chosen in product((True, False), repeat=len(optional))
        ]
        found = dict.fromkeys(self.identify(scanner_header, by) for by in ways)
        return [scanner for scanner in found if scanner is not None]

    def _vendor(self, manufacturer: str) -> Vendor | None:
        """The manufacturer, by a spelling in the table, without software that saved the series."""
        if whole := self._spelt(manufacturer):
            return whole
        written = [part for part in split_manufacturer(manufacturer) if not is_software(part)]
        # "Varian Eclipse" beside another maker is the program, not the scanner.
        devices = [part for part in written if without_software(part) == fold(part)] or written
        found = [self._spelt(part) for part in devices]
        makers = {vendor.name for vendor in found if vendor is not None}
        # An unknown name before a known one, or two known ones, may be any maker.
        return found[0] if found and len(makers) == 1 else None

    def _spelt(self, name: str) -> Vendor | None:
        spellings = [*without_company_words(name), *without_company_words(without_software(name))]
        return next((self._vendors[s] for s in spellings if s in self._vendors), None)


def unknown_manufacturer(scanner_header: ScannerHeader) -> str:
    """Why a header has no scanner, and what to do about it."""
    maker, model = scanner_header.manufacturer, scanner_header.model
    if is_anonymised(maker):
        seen = f"Manufacturer is {maker!r}" if maker else "Manufacturer is empty"
        return (
            f"no scanner is known: {seen} (model {model!r}), as anonymising may leave it. List the "
            "series in a manifest and name its scanner in the column `scanner`"
        )
    if is_software(maker):
        return (
            f"no scanner is known: Manufacturer {maker!r} (model {model!r}) is the software that "
            "saved it. List the series in a manifest and name its scanner in the column `scanner`"
        )
    name = maker.strip().title()
    key = name if re.fullmatch(r"[A-Za-z][\w -]*", name) else json.dumps(name, ensure_ascii=False)
    if not isinstance(yaml.safe_load(key), str):  # On, No and Null are no texts in YAML
        key = json.dumps(name)
    example = f"{key}: {{names: [{json.dumps(maker, ensure_ascii=False)}]}}"
    return (
        f"no scanner is known for Manufacturer {maker!r} (model {model!r}): put the line  {example}"
        "  into a YAML file and pass it with --aliases"
    )


def _kind(vendor: Vendor | None, scanner_header: ScannerHeader) -> str:
    if vendor is None or not vendor.cone_beam:
        return scanner_header.kind
    if re.match(vendor.cone_beam, scanner_header.model.strip(), re.IGNORECASE) is None:
        return scanner_header.kind
    return ", ".join(filter(None, (CONE_BEAM, scanner_header.kind)))


def _kernel_class(vendor: Vendor, kernel: str) -> str:
    for name, pattern in vendor.kernels.items():
        if re.match(pattern, kernel, re.IGNORECASE):
            return name
    return kernel.casefold() or "unknown-kernel"


def _bucket(kvp: float) -> int:
    return int(kvp / 10 + 0.5) * 10 if 0 < kvp < 1000 else 0


def _read(path: Path) -> dict[str, VendorEntry]:
    tree = YamlFile.parse(path)
    try:
        return _TABLE.validate_python(tree.value)
    except ValidationError as error:
        faults = tree.explain(
            error, dict[str, VendorEntry], _EXPECTED, lambda p: dotted(p) or "aliases"
        )
        raise InputError(faults[0]) from None

"""Which scanner made a series: header values looked up in an editable alias table."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from cl_seg.files.yaml_file import YamlFile
from cl_seg.messages.errors import InputError
from cl_seg.scans.scanner.identity import (
    DEFAULT_BY,
    NO_STATION,
    PARTS,
    Acquisition,
    Scanner,
    device_key,
    fold,
)
from cl_seg.scans.scanner.image_kind import CONE_BEAM, MONOENERGETIC, NO_ENERGY
from cl_seg.scans.scanner.manufacturer import cores, is_nobody, is_software, parts, without_software

_SECTIONS = {"names", "models", "kernels", "cone_beam"}


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
        self._add(yaml.safe_load(packaged.read_text(encoding="utf-8")))
        if own is not None:
            self._add(_read(own))

    def _add(self, table: dict[str, dict[str, Any]]) -> None:
        known = {vendor.name: vendor for vendor in self._vendors.values()}
        for name, entry in table.items():
            old = known.get(name, Vendor(name, {}, {}))
            models = {fold(key): str(shown) for key, shown in entry.get("models", {}).items()}
            # The later table's kernel patterns are tried first.
            kernels = entry.get("kernels", {})
            kernels = kernels | {k: v for k, v in old.kernels.items() if k not in kernels}
            cone_beam = entry.get("cone_beam", old.cone_beam)
            vendor = Vendor(name, old.models | models, kernels, cone_beam)
            spellings = [key for key, value in self._vendors.items() if value.name == name]
            names = [name, *entry.get("names", [])]
            for spelling in [*spellings, *map(fold, names)]:
                self._vendors[spelling] = vendor
            for core in (core for name in names for core in cores(name)):
                self._vendors.setdefault(core, vendor)

    def identify(self, acquisition: Acquisition, by: Sequence[str] = DEFAULT_BY) -> Scanner | None:
        """The scanner of an acquisition, or None when its manufacturer is not in the table.

        Args:
            acquisition: what a header says.
            by: which of ``PARTS`` tell scanners apart; the kind of image always does.
        """
        vendor = self._vendor(acquisition.manufacturer)
        kind = _kind(vendor, acquisition)
        if acquisition.given_name:
            device = " ".join(acquisition.given_name.split())
            kind = kind.replace(NO_ENERGY, MONOENERGETIC)  # the user knows the energy
            return Scanner(device, None, None, device.casefold(), given=True, kind=kind)
        if vendor is None:
            return None
        written = " ".join(acquisition.model.replace("_", " ").split()) or "unknown model"
        model = vendor.models.get(fold(acquisition.model), written)
        device = f"{vendor.name} {model}" if "model" in by else vendor.name
        return Scanner(
            device,
            _kernel_class(vendor, acquisition.kernel.strip()) if "kernel" in by else None,
            _bucket(acquisition.kvp) if "kv" in by else None,
            device_key(device),
            station=(acquisition.station or NO_STATION) if "station" in by else "",
            kind=kind,
        )

    def identify_in_every_way(self, acquisition: Acquisition) -> list[Scanner]:
        """The scanners an acquisition may be stored as, whatever tells scanners apart there."""
        optional = PARTS[1:]
        ways = [
            (PARTS[0], *(part for part, counts in zip(optional, chosen, strict=True) if counts))
            for chosen in product((True, False), repeat=len(optional))
        ]
        found = dict.fromkeys(self.identify(acquisition, by) for by in ways)
        return [scanner for scanner in found if scanner is not None]

    def _vendor(self, manufacturer: str) -> Vendor | None:
        """Who made a scanner, by a spelling in the table or beside the software that saved it."""
        if whole := self._spelt(manufacturer):
            return whole
        written = [part for part in parts(manufacturer) if not is_software(part)]
        # "Varian Eclipse" beside another maker is the program, not the scanner.
        devices = [part for part in written if without_software(part) == fold(part)] or written
        found = [self._spelt(part) for part in devices]
        makers = {vendor.name for vendor in found if vendor is not None}
        # An unknown name before a known one, or two known ones, may be any maker.
        return found[0] if found and len(makers) == 1 else None

    def _spelt(self, name: str) -> Vendor | None:
        spellings = [*cores(name), *cores(without_software(name))]
        return next((self._vendors[s] for s in spellings if s in self._vendors), None)


def unknown_manufacturer(acquisition: Acquisition) -> str:
    """Why an acquisition has no scanner, and what to do about it."""
    maker, model = acquisition.manufacturer, acquisition.model
    if is_nobody(maker):
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


def _kind(vendor: Vendor | None, acquisition: Acquisition) -> str:
    if vendor is None or not vendor.cone_beam:
        return acquisition.kind
    if re.match(vendor.cone_beam, acquisition.model.strip(), re.IGNORECASE) is None:
        return acquisition.kind
    return ", ".join(filter(None, (CONE_BEAM, acquisition.kind)))


def _kernel_class(vendor: Vendor, kernel: str) -> str:
    for name, pattern in vendor.kernels.items():
        if re.match(pattern, kernel, re.IGNORECASE):
            return name
    return kernel.casefold() or "unknown-kernel"


def _bucket(kvp: float) -> int:
    return int(kvp / 10 + 0.5) * 10 if 0 < kvp < 1000 else 0


def _read(path: Path) -> dict[str, dict[str, Any]]:
    form = 'expected lines like  Acme: {names: ["ACME CT"]}'
    table = YamlFile.parse(path).value
    if not isinstance(table, dict):
        raise InputError(f"{path} is not an alias table: {form}")
    for name, entry in table.items():
        if not isinstance(entry, dict) or not set(entry) <= _SECTIONS:
            raise InputError(f"{path}, {name}: {form} with {', '.join(sorted(_SECTIONS))} only")
        _check(path, str(name), entry)
    return {str(name): entry for name, entry in table.items()}


def _check(path: Path, name: str, entry: dict[str, Any]) -> None:
    names = entry.get("names", [])
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise InputError(f'{path}, {name}: names must be a list of texts, e.g. names: ["ACME CT"]')
    for section in ("models", "kernels"):
        pairs = entry.get(section, {})
        if not isinstance(pairs, dict) or not all(
            isinstance(text, str) for pair in pairs.items() for text in pair
        ):
            raise InputError(f"{path}, {name}: {section} must map texts to texts")
    cone_beam = entry.get("cone_beam", "")
    if not isinstance(cone_beam, str):
        raise InputError(f"{path}, {name}: cone_beam must be a regular expression of models")
    for pattern in [cone_beam, *entry.get("kernels", {}).values()]:
        try:
            re.compile(pattern)
        except re.error as error:
            raise InputError(f"{path}, {name}: {pattern!r} is not a regular expression") from error

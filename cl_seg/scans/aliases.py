"""Which scanner made a series: header values looked up in an editable alias table."""

import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from cl_seg.files import InputError
from cl_seg.scans.identity import Acquisition, Scanner, device_key, fold
from cl_seg.yaml_file import YamlFile

_SECTIONS = {"names", "models", "kernels"}


@dataclass(frozen=True)
class Vendor:
    """One manufacturer of the alias table."""

    name: str
    models: dict[str, str]
    kernels: dict[str, str]


class Aliases:
    """The alias table: the one that comes with the package, with the user's own merged on top.

    Raises:
        InputError: the user's file cannot be read or is not of the documented form.
    """

    def __init__(self, own: Path | None = None) -> None:
        packaged = resources.files("cl_seg.scans").joinpath("scanner_aliases.yaml")
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
            vendor = Vendor(name, old.models | models, kernels)
            spellings = [key for key, value in self._vendors.items() if value.name == name]
            for spelling in [*spellings, fold(name), *map(fold, entry.get("names", []))]:
                self._vendors[spelling] = vendor

    def identify(self, acquisition: Acquisition) -> Scanner | None:
        """The scanner of an acquisition, or None when its manufacturer is not in the table."""
        if acquisition.given_name:
            device = " ".join(acquisition.given_name.split())
            return Scanner(device, "", 0, device.casefold(), given=True)
        vendor = self._vendors.get(fold(acquisition.manufacturer))
        if vendor is None:
            return None
        written = " ".join(acquisition.model.replace("_", " ").split()) or "unknown model"
        device = f"{vendor.name} {vendor.models.get(fold(acquisition.model), written)}"
        kernel_class = _kernel_class(vendor, acquisition.kernel.strip())
        return Scanner(device, kernel_class, _bucket(acquisition.kvp), device_key(device))


def unknown_manufacturers(acquisitions: list[Acquisition]) -> InputError:
    """The error for manufacturers that the alias table does not know."""
    seen = sorted({(a.manufacturer, a.model) for a in acquisitions})
    values = ", ".join(f"Manufacturer {maker!r} (model {model!r})" for maker, model in seen)
    first = seen[0][0]
    example = f'{first.strip().title() or "Unknown maker"}: {{names: ["{first}"]}}'
    return InputError(
        f"no scanner is known for {values}: put the line  {example}  into a YAML file and pass it "
        "with --aliases"
    )


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
            raise InputError(f"{path}, {name}: {form} with names, models and kernels only")
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
    for pattern in entry.get("kernels", {}).values():
        try:
            re.compile(pattern)
        except re.error as error:
            raise InputError(f"{path}, {name}: {pattern!r} is not a regular expression") from error

"""Simulated scanners by name: with a profile, drawn once, or drawing a profile in every case."""

from collections.abc import Sequence
from dataclasses import replace

from cl_seg.files.yaml_file import YamlFile
from cl_seg.messages.errors import InputError
from cl_seg.phantom.drawn_scanners import drawn_scanner, is_drawn
from cl_seg.phantom.profile_space import ProfileSpace
from cl_seg.phantom.profiles import (
    RANDOMISED,
    Profile,
    profile_names,
    scanner_file,
    scanner_name,
    validated,
)

Scanner = Profile | ProfileSpace


def load_scanner(name_or_path: str) -> Scanner:
    """A built-in or a drawn scanner by name, or one's own by the path of its YAML file.

    A file whose ``track`` is "randomised" holds ranges, any other one a profile.

    Raises:
        InputError: no such scanner or file, not YAML, a field is missing, unknown or wrong, or
            ranges hold what no profile can.
    """
    if is_drawn(name_or_path):
        return drawn_scanner(name_or_path)
    tree = YamlFile.parse(scanner_file(name_or_path))
    if not isinstance(tree.value, dict) or tree.value.get("track") != RANDOMISED:
        return validated(tree, Profile)
    scanner = validated(tree, ProfileSpace)
    for extreme in scanner.extremes():
        validated(replace(tree, value=extreme), Profile)
    return scanner


def load_scanners(scanners: Sequence[str] | None = None) -> dict[str, Scanner]:
    """Scanners by name, all built-in ones with a profile by default.

    Raises:
        InputError: a scanner is wrong, the list is empty, or a scanner is there twice.
    """
    given = profile_names() if scanners is None else scanners
    names = [scanner_name(scanner) for scanner in given]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated or not names:
        problem = f"{repeated[0]} is there twice" if repeated else "the list is empty"
        raise InputError(f"scanners: {problem}; name each simulated scanner once")
    return {name: load_scanner(one) for name, one in zip(names, given, strict=True)}

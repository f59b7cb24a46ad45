"""JSON files that come with public data sets, and checks their readers share."""

from pathlib import Path
from typing import Any

from cl_seg.files.json_file import parse_json
from cl_seg.messages.errors import InputError


def read_json(path: Path, *, source: str) -> dict[str, Any]:
    """The object a JSON file holds.

    Raises:
        InputError: missing, or no JSON object.
    """
    try:
        content = parse_json(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: {source}") from None
    except (OSError, ValueError):
        raise InputError(f"{path} cannot be read as JSON: {source}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} is no JSON object: {source}")
    return content


def check_ct(channels: Any, entry: str, file: Path) -> None:
    """Refuse images that ``dataset.json`` does not call CT: their values are not HU.

    Args:
        channels: number of a channel → its name.
        entry: of the file, where this stands.
        file: for messages.

    Raises:
        InputError: several channels, or one of another name.
    """
    names = [str(name) for name in channels.values()] if isinstance(channels, dict) else []
    if [name.strip().casefold() for name in names] != ["ct"]:
        seen = ", ".join(names) or "nothing"
        raise InputError(
            f'{file}: {entry} says {seen}, expected one channel, {{"0": "CT"}}: images of anything '
            "else hold no Hounsfield units; write CT there if they are CT in HU"
        )


def shown(path: Path) -> bool:
    """Whether a file is one of the set: archives made on a Mac also hold ``._`` copies."""
    return not path.name.startswith(".")

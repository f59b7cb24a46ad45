"""Records of older versions in the form of this one.

Version 2 has ``schema_version`` and ``order_number``, holds SEED images in one part of the spec,
and says ``schedule`` and ``scores_with_memory`` where files without a version have ``joint`` and
``scored_apart``.
"""

from typing import Any

SCHEMA_VERSION = 2


def migrated(raw: Any) -> Any:
    """A record as it was read, in the form of this version; what is no record is left as it is.

    Raises:
        ValueError: it was written by a newer version.
    """
    if not isinstance(raw, dict):
        return raw
    version = raw.get("schema_version", 1)
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise ValueError(
            f"schema_version: {version} is of a newer cl_seg, which this one cannot read"
        )
    return _from_first(raw) if version == 1 else raw


def _from_first(old: dict[str, Any]) -> dict[str, Any]:
    new = {name: value for name, value in old.items() if name not in {"joint", "scored_apart"}}
    new["schema_version"] = SCHEMA_VERSION
    new["scores_with_memory"] = old.get("scored_apart", False)
    new["spec"] = _spec(old.get("spec"))
    if "joint" in old:
        new.setdefault("schedule", "joint" if old["joint"] else "sequential")
    new["order_number"] = _order_number(old.get("place"))
    return new


def _spec(old: Any) -> Any:
    """The fields of SEED images as one part."""
    if not isinstance(old, dict) or "seed_images" not in old:
        return old
    parts = {"count": "seed_images", "by": "by", "start": "start", "base": "base"}
    images = {new: old[name] for new, name in parts.items() if name in old}
    return {k: v for k, v in old.items() if k not in parts.values()} | {"seed_images": images}


def _order_number(place: Any) -> int:
    """From the place (network, strategy, order, seed); seed curves have a longer one, one order."""
    in_stream = isinstance(place, list) and len(place) == 4 and isinstance(place[2], int)
    return place[2] + 1 if in_stream else 1

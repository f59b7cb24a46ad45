"""Records of older versions in the form of this one.

Schema 2 has ``schema`` and ``order_number``, holds SEED images in one part of the spec, and says
``schedule`` and ``scores_with_memory`` where files without a schema have ``joint`` and
``scored_apart``.
"""

from typing import Any

SCHEMA = 2


def migrated(raw: Any) -> Any:
    """A record in the form of this version; anything that is no record is returned unchanged.

    Raises:
        ValueError: its schema is not known to this version.
    """
    if not isinstance(raw, dict):
        return raw
    schema = raw.get("schema", 1)
    if schema not in range(1, SCHEMA + 1):
        raise ValueError(f"schema: expected 1 to {SCHEMA}, not {schema!r} of another cl_seg")
    return _from_schema_1(raw) if schema == 1 else raw


def _from_schema_1(old: dict[str, Any]) -> dict[str, Any]:
    new = {name: value for name, value in old.items() if name not in {"joint", "scored_apart"}}
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
    """Number of the order, from the place (network, strategy, order, seed) of a run.

    Seed curves have a longer place and one order.
    """
    in_stream = isinstance(place, list) and len(place) == 4 and isinstance(place[2], int)
    return place[2] + 1 if in_stream else 1

"""The quick suite on a store that exists, with other settings of its training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

QUICK = Path("experiments/quick.yaml")


def edited_quick_suite(
    store: Path, training: Mapping[str, Any], networks: Sequence[str] | None, steps: int | None
) -> dict[str, Any]:
    """The content of the quick suite.

    Args:
        store: its data.
        training: settings that replace those of the suite.
        networks: None for all of the suite.
        steps: per stage, None for those of the suite.
    """
    suite: dict[str, Any] = yaml.safe_load(QUICK.read_text(encoding="utf-8"))
    suite["data"] = {"store": str(store.resolve())}
    suite["training"] |= {**training, "steps": steps or suite["training"]["steps"]}
    suite["models"] = networks or suite["models"]
    for strategy in suite["strategies"]:
        if isinstance(strategy, dict) and "settings_of" in strategy:
            of = strategy["settings_of"]
            strategy["settings_of"] = {m: of[m] for m in suite["models"] if m in of}
    return suite

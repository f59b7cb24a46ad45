"""``cl-seg schema``: what a suite file may hold, for editors."""

import json
import sys

from cl_seg.models.registry import NETWORKS
from cl_seg.strategies.registry import STRATEGIES


def schema() -> None:
    """Print the JSON Schema of suite files, for editors that complete and check YAML."""
    from cl_seg.spec.schema import suite_schema

    sys.stdout.write(json.dumps(suite_schema(NETWORKS, STRATEGIES), indent=1) + "\n")

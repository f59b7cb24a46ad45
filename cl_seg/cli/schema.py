"""``cl-seg schema``: JSON Schema of suite files."""

import json
import sys

from cl_seg.models.registry import NETWORKS
from cl_seg.strategies.registry import STRATEGIES


def schema() -> None:
    """Print the JSON Schema of suite files, so that editors can complete and check them."""
    from cl_seg.spec.schema import suite_schema

    sys.stdout.write(json.dumps(suite_schema(NETWORKS, STRATEGIES), indent=1) + "\n")

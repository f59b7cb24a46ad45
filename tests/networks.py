"""The networks of the registry as parameters of tests; skipped where their package is missing."""

from typing import Any

import pytest

from cl_seg.messages.errors import InputError
from cl_seg.models.registry import NETWORKS


def case(network: str, *values: Any, id: str | None = None) -> Any:
    """A network of the registry with further parameters."""
    try:
        NETWORKS[network].package_version()
    except InputError as missing:
        return pytest.param(network, *values, id=id, marks=pytest.mark.skip(reason=str(missing)))
    return pytest.param(network, *values, id=id)


ALL = [case(name) for name in NETWORKS]

"""cl_seg measures catastrophic forgetting of CT segmentation models across scanners.

Importing it loads nothing else; every name below is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cl_seg import metrics, strategies
    from cl_seg.api.contract import check_plugin
    from cl_seg.api.models import Model, load_model
    from cl_seg.api.plan import Plan, plan
    from cl_seg.api.results import Results, load_results
    from cl_seg.api.run import run
    from cl_seg.api.stores import Store, ingest, simulate, simulate_scans
    from cl_seg.api.suite import Suite
    from cl_seg.api.update import Candidates, Update, update
    from cl_seg.messages.errors import InputError

__version__ = "0.1.0"

_MODULE_OF_NAME = {
    "Candidates": "cl_seg.api.update",
    "InputError": "cl_seg.messages.errors",
    "Model": "cl_seg.api.models",
    "Plan": "cl_seg.api.plan",
    "Results": "cl_seg.api.results",
    "Store": "cl_seg.api.stores",
    "Suite": "cl_seg.api.suite",
    "Update": "cl_seg.api.update",
    "check_plugin": "cl_seg.api.contract",
    "ingest": "cl_seg.api.stores",
    "load_model": "cl_seg.api.models",
    "load_results": "cl_seg.api.results",
    "plan": "cl_seg.api.plan",
    "run": "cl_seg.api.run",
    "simulate": "cl_seg.api.stores",
    "simulate_scans": "cl_seg.api.stores",
    "update": "cl_seg.api.update",
}
_SUBPACKAGES = {"metrics", "strategies"}

__all__ = [
    "Candidates",
    "InputError",
    "Model",
    "Plan",
    "Results",
    "Store",
    "Suite",
    "Update",
    "__version__",
    "check_plugin",
    "ingest",
    "load_model",
    "load_results",
    "metrics",
    "plan",
    "run",
    "simulate",
    "simulate_scans",
    "strategies",
    "update",
]


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return import_module(f"{__name__}.{name}")
    if name not in _MODULE_OF_NAME:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(_MODULE_OF_NAME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

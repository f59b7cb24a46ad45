"""Computes pickled stages, each in a process of its own, and tells what imported what meanwhile.

Arguments: folder of finished stages, folder to work in. A line of standard input is the file of a
stage; a line of output is a JSON object, importer → modules of the package.
"""

import builtins
import importlib
import importlib.util
import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

EDGES: dict[str, set[str]] = {}
real_import, real_import_module = builtins.__import__, importlib.import_module


def note(importer: str, *names: str) -> None:
    ours = {name for name in names if name.startswith("cl_seg.") and name in sys.modules}
    EDGES.setdefault(importer, set()).update(ours)


def noting_import(
    name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
) -> Any:
    imported = real_import(name, globals, locals, fromlist, level)
    found = dict(globals or {})
    whole = importlib.util.resolve_name("." * level + name, found.get("__package__") or "")
    note(str(found.get("__name__")), whole, *(f"{whole}.{one}" for one in fromlist or ()))
    return imported


def noting_import_module(name: str, package: str | None = None) -> Any:
    imported = real_import_module(name, package)
    note(sys._getframe(1).f_globals["__name__"], name)
    return imported


def compute(stage_file: Path, cache: Path, results: Path) -> None:
    stage = pickle.loads(stage_file.read_bytes())
    kind = real_import_module(f"cl_seg.suite.stages.{stage.kind}")
    from cl_seg.suite.cache import StageCache
    from cl_seg.suite.stages.inputs import StageInputs
    from cl_seg.suite.stages.stop_control import StopControl

    results.mkdir(parents=True)
    StageCache(cache).working_folder(stage.key).mkdir(parents=True, exist_ok=True)
    getattr(kind, stage.kind)(
        StageInputs(stage, StageCache(cache), StopControl(lambda: False)), results
    )


if __name__ == "__main__":
    # Once for all processes, which then import the package anew.
    import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
    import monai.networks.nets  # noqa: F401

    for name in [name for name in sys.modules if name.partition(".")[0] == "cl_seg"]:
        del sys.modules[name]
    cache, folder = map(Path, sys.argv[1:])
    builtins.__import__, importlib.import_module = noting_import, noting_import_module
    for number, line in enumerate(sys.stdin):
        sys.stdout.flush()
        if child := os.fork():
            _, status = os.waitpid(child, 0)
            if status:
                sys.exit(f"{line} failed")
            continue
        compute(Path(line.strip()), cache, folder / str(number))
        edges = {importer: sorted(names) for importer, names in EDGES.items() if names}
        print(json.dumps(edges), flush=True)
        os._exit(0)

"""The network a finished run has trained, as a model folder."""

from pathlib import Path
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip

from cl_seg.files.json_file import read_json
from cl_seg.inference.saved_model import Input, ModelCard, Network, save_model
from cl_seg.messages.errors import InputError, one_line
from cl_seg.runtime.tensor_bytes import from_bytes
from cl_seg.suite.cache import DamagedStage, StageCache, state_file


def save_run_model(run: Path, out: Path, cache: StageCache) -> ModelCard:
    """Save the network of a run as it is after its last experience.

    Args:
        run: folder of the run's record, ``<results>/runs/<run>``.
        out: model folder to make.
        cache: which still holds the run's last training.

    Raises:
        InputError: no record, one of a strategy whose network differs from scanner to scanner, or
            its training is no longer in the cache.
    """
    record = _record(run)
    if record["scored_apart"]:
        raise InputError(
            f"{run}: {record['strategy']} has a network for every scanner, a model folder holds one"
        )
    last = record["stages"][-1]["position"]
    key = record["states"][-1]
    try:
        weights = from_bytes(cache.read(key, state_file(last)), "cpu")
    except (DamagedStage, ValueError) as damaged:
        raise InputError(
            f"the trained network of {run} is not in {cache.folder}: name the --cache it was "
            "trained with, or remove the run's folder and run its suite again"
        ) from damaged
    try:
        card = _card(record)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise InputError(
            f"{run / 'run.json'} is damaged ({one_line(error)}): run its suite again"
        ) from error
    save_model(out, weights, card)
    return card


def _record(run: Path) -> dict[str, Any]:
    path = run / "run.json"
    if not path.is_file():
        inside = sorted(p.parent.name for p in run.glob("runs/*/run.json"))
        hint = f": name one of its runs, e.g. {run / 'runs' / inside[0]}" if inside else ""
        raise InputError(f"{run} is no folder of a finished run (no run.json){hint}")
    try:
        record: dict[str, Any] = read_json(path)
        if record["states"] and record["grid"] and record["stages"][-1]["position"]:
            return {"scored_apart": False, **record}
    except (OSError, ValueError, TypeError, IndexError) as error:
        raise InputError(f"{path} is damaged ({error}): run its suite again") from error
    except KeyError:
        pass
    raise InputError(
        f"{path} does not say which training is its last, it was written by an older version: "
        "remove the run's folder and run its suite again; finished stages are not repeated"
    )


def _card(record: dict[str, Any]) -> ModelCard:
    spec = record["spec"]
    model, order = spec["model"], spec["order"]
    seen = order[-1:] if record["schedule"] == "single" else order
    rows = {name: matrix[-1] for name, matrix in record["R"].items()}
    return ModelCard(
        network=Network(name=model["name"], preset=model["preset"], arguments=model["arguments"]),
        classes=spec["classes"],
        input=Input(
            grid_size=record["grid"]["size"],
            spacing_mm=record["grid"]["spacing_mm"],
            size=spec["image"]["size"],
            window_hu=spec["image"]["window_hu"],
        ),
        scanners={scanner: record["scanner_names"][scanner] for scanner in seen},
        simulated=record["data"]["kind"] == "simulated",
        trained={"run": record["run_id"], "suite": record["suite"], **spec},
        scores={s: {c: row[j] for c, row in rows.items()} for j, s in enumerate(order)},
        versions=record["versions"],
        git_commit=record["git_commit"],
    )

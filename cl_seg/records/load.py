"""Finds and reads the results of a suite, loose or packed."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from cl_seg.files.json_file import read_json
from cl_seg.messages.errors import InputError
from cl_seg.records.damage import DamagedResults
from cl_seg.records.record import RUN_FILE, parse_record, read_record
from cl_seg.records.results import RunResult
from cl_seg.records.tables import PACKED, StoredTables

PLAN = "plan.json"


def load_results(folder: Path) -> list[RunResult]:
    """Finished runs below ``folder/runs`` or packed in ``folder``, in the order of the suite.

    Where ``folder/plan.json`` says which runs the suite has now, and in which order, runs of an
    earlier version of it are left out.

    Raises:
        InputError: there is none, or a record is damaged.
    """
    folder = Path(folder)
    plan, packed = read_plan(folder), folder / PACKED
    if packed.is_file():
        return load_packed(packed)
    results = []
    for path in sorted((folder / "runs").glob(f"*/{RUN_FILE}")):
        result = load_run(path.parent)
        if not plan or plan.get(result.run_id) == result.record.key:
            results.append(result)
    if not results:
        if not folder.is_dir():
            what = "is a file, expected a folder of results" if folder.is_file() else ""
            none = f"holds no finished run: there is no folder {folder.absolute()}"
            raise InputError(f"{folder} {what or none}")
        raise InputError(
            f"{folder} holds no finished run (runs/*/run.json): `cl-seg run` makes them"
        )
    # The place in a record is that in the suite then; the suite may have grown since.
    planned_place = {run: number for number, run in enumerate(plan)}
    results.sort(key=lambda r: (planned_place.get(r.run_id, 0), r.record.place))
    return _with_common_names(results)


def load_run(folder: Path) -> RunResult:
    """The run whose record is in ``folder``.

    Raises:
        DamagedResults: the record is missing or damaged.
    """
    path = folder / RUN_FILE
    try:
        record = read_record(path)
    except (OSError, ValueError) as error:
        raise DamagedResults(f"{path} is damaged ({error}): remove its folder, run again") from None
    return RunResult(record, StoredTables(folder, record.run_id))


def load_packed(path: Path) -> list[RunResult]:
    """The runs of a file ``runs.jsonl``, in its order.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        if not lines:
            raise ValueError("it is empty")
        records = [parse_record(line) for line in lines]
        counts = Counter(record.run_id for record in records)
        if repeated := [run for run, count in counts.items() if count > 1]:
            raise ValueError(f"the run {repeated[0]} is there {counts[repeated[0]]} times")
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"{path.parent} holds no packed results ({PACKED}): `cl-seg pack` makes them"
        ) from None
    except (OSError, ValueError) as error:
        raise DamagedResults(f"{path} is damaged ({error}): pack the results again") from None
    return _with_common_names([RunResult(r, StoredTables(path.parent, r.run_id)) for r in records])


def _with_common_names(results: list[RunResult]) -> list[RunResult]:
    names = {k: v for result in results for k, v in result.record.scanner_names.items()}
    return [replace(result, names=names) for result in results]


def read_plan(folder: Path) -> dict[str, str]:
    """Run → key, as the suite was last planned; empty when it was not.

    Older versions wrote just that; now the runs are listed under ``runs``.

    Raises:
        InputError: it is damaged.
    """
    path = Path(folder) / PLAN
    if not path.is_file():
        return {}
    try:
        plan = read_json(path)
        if isinstance(plan, dict) and isinstance(plan.get("runs"), list):
            return {str(run["run_id"]): str(run["key"]) for run in plan["runs"]}
        return dict(plan)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} is damaged ({error}): `cl-seg run` writes it anew") from None

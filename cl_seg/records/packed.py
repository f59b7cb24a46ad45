"""Packed results: the numbers of all runs of a suite in a few small files, and back."""

import json
import shutil
from pathlib import Path

import pandas as pd

from cl_seg.files.write import new_folder, write_json
from cl_seg.messages.errors import InputError
from cl_seg.records.certified import CERTIFIED
from cl_seg.records.load import PLAN, load_packed, load_results
from cl_seg.records.record import RUN_FILE
from cl_seg.records.tables import CASES, CURVE, PACKED


def pack_results(folder: Path, out: Path) -> int:
    """Keep the numbers of finished runs, without pictures and checkpoints, in a few files.

    ``runs.jsonl`` has a record per line; ``cases.parquet`` and ``curve.parquet`` the tables of all
    runs; the plan and tables of semi-automatic tools are copied. What reads results reads these as
    well.

    Returns:
        The number of runs.

    Raises:
        InputError: there is no finished run, or ``out`` is taken.
    """
    results = load_results(folder)
    with new_folder(Path(out)) as building:
        for file, tables in (
            (CASES, [r.cases.assign(run=r.run_id) for r in results]),
            (CURVE, [r.curve.assign(run=r.run_id) for r in results]),
        ):
            pd.concat(tables).to_parquet(building / file, index=False, compression="zstd")
        lines = (json.dumps(r.record.as_json()) + "\n" for r in results)
        (building / PACKED).write_text("".join(lines), encoding="utf-8")
        _copy_suite_files(Path(folder), building)
    return len(results)


def unpack_results(packed: Path, out: Path) -> int:
    """Make of packed results a folder that ``cl-seg run`` goes on from; it has no pictures.

    Returns:
        The number of runs.

    Raises:
        InputError: ``packed`` is missing or damaged, or ``out`` is taken.
    """
    results = load_packed(Path(packed) / PACKED)
    with new_folder(Path(out)) as building:
        for result in results:
            name = result.run_id
            if name != Path(name).name or name in {".", ".."}:
                raise InputError(f"{packed / PACKED}: the run {name!r} is no name of a folder")
            folder = building / "runs" / name
            folder.mkdir(parents=True)
            result.cases.to_parquet(folder / CASES, index=False)
            result.curve.to_parquet(folder / CURVE, index=False)
            write_json(folder / RUN_FILE, result.record.as_json())
        _copy_suite_files(Path(packed), building)
    return len(results)


def _copy_suite_files(folder: Path, building: Path) -> None:
    for name in (PLAN, CERTIFIED):
        if (folder / name).is_file():
            shutil.copy(folder / name, building / name)
    if (folder / "tools").is_dir():
        shutil.copytree(folder / "tools", building / "tools")

"""Provenance of runs: data, source, machine and settings."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from cl_seg.records.certified import certificates_in_words
from cl_seg.records.record import DataRecord
from cl_seg.records.results import RunResult


def data_origin(results: Sequence[RunResult]) -> str:
    """Simulated data, CT scans, or both."""
    kinds = (run.record.data.kind == "simulated" for run in results)
    return ", ".join(dict.fromkeys("Simulated data" if one else "CT scans" for one in kinds))


def provenance(results: Sequence[RunResult], command: str) -> dict[str, str]:
    """Source of the numbers; all values of an entry in which runs differ.

    Args:
        results: the runs.
        command: command that made the page from them.
    """

    def each(values: Iterable[str]) -> str:
        return ", ".join(dict.fromkeys(values))

    records = [result.record for result in results]
    days = sorted(record.finished[:10] for record in records)
    return {
        "suite": each(r.suite for r in records),
        "made by": f"cl-seg run with the suite below, {command}",
        "data": each(f"sha256 {r.data.content}{_doubt(r.data)}" for r in records),
        "commit": each(r.git_commit or "unknown" for r in records),
        "computed on": each(f"{r.processor}, {r.device}" for r in records),
        "finished": days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}",
        "versions": each(f"{k} {v}" for r in records for k, v in r.versions.items()),
        **({"certified": text} if (text := certificates_in_words(results)) else {}),
    }


def _doubt(data: DataRecord) -> str:
    count = data.implausible_hu
    return f" ({count} series whose values cannot be HU were taken as they are)" if count else ""


def settings_of(results: Sequence[RunResult]) -> str:
    """Settings that all runs share, and all values of those that differ, as YAML."""
    specs = [result.record.spec.as_suite_fields() for result in results]
    shown = _shared(specs)
    return yaml.safe_dump(shown, sort_keys=False, default_flow_style=None, width=100)


def _shared(specs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name in dict.fromkeys(key for spec in specs for key in spec):
        values: list[Any] = []
        for spec in specs:
            if name in spec and spec[name] not in values:
                values.append(spec[name])
        if len(values) == 1:
            shown[name] = values[0]
        elif name == "training":
            shown[name] = _shared(values)
        else:
            shown[name] = {"one of": values}
    return shown

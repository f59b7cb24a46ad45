"""Agreement of areas with the truth, scanner by scanner: bias, limits of agreement, ICC."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from cl_seg.metrics.agreement import bland_altman, intraclass_correlation
from cl_seg.records.results import RunResult

Areas = npt.NDArray[np.float64]


def area_table(results: Sequence[RunResult]) -> pd.DataFrame:
    """Areas of a case's mean slice after the last stage, in cm²: a row per run, case and class.

    Cases without the class are left out.
    """
    tables = []
    for result in results:
        cases = result.last_cases
        # A single run has a network per scanner; older records have no areas.
        if result.training_regime == "single" or "true_cm2" not in cases:
            continue
        last = cases[cases["true"] > 0]
        columns = {
            "model": result.network,
            "strategy": result.strategy,
            "seed": result.seed,
            "order": " → ".join(map(" + ".join, result.visits)),
            "scanner": last["scanner"].map(result.short_names),
            "patient": last["patient"],
            "class": last["class"],
            "body_cut": last.get("body_cut", False),
            "true_cm2": last["true_cm2"],
            "found_cm2": last["true_cm2"] + last["area_error_cm2"],
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def agreement_table(areas: pd.DataFrame) -> pd.DataFrame:
    """A row per network, strategy, class and scanner; runs are averaged.

    Bias and limits of agreement in cm² are those of Bland & Altman, ICC is ICC(2,1).
    """
    keys = ["model", "strategy", "class", "scanner"]
    found, true = (areas[name].to_numpy(float) for name in ("found_cm2", "true_cm2"))
    truncated = areas["body_cut"].to_numpy(bool)
    runs = areas.groupby([*keys, "seed", "order"], sort=False).indices
    per_run = [
        {
            **dict(zip(keys, run[: len(keys)], strict=True)),
            "incomplete": int(truncated[at].sum()),
            **_agreement(found[at], true[at]),
        }
        for run, at in runs.items()
        if isinstance(run, tuple)
    ]
    return pd.DataFrame(per_run).groupby(keys, sort=False, as_index=False).mean()


def _agreement(found: Areas, true: Areas) -> dict[str, float]:
    limits = bland_altman(found, true)
    return {
        "cases": len(true),
        "true_cm2": float(true.mean()),
        "error_percent": float((100 * np.abs(found - true) / true).mean()),
        "bias_cm2": limits.bias,
        "lower_cm2": limits.lower,
        "upper_cm2": limits.upper,
        "icc": intraclass_correlation(np.stack([found, true], axis=1)),
    }


def shown_agreement(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The rows of one class, for reading."""
    rows = table[table["class"] == name]
    return pd.DataFrame({
        "model": rows["model"],
        "strategy": rows["strategy"],
        "scanner": rows["scanner"],
        "true cm²": rows["true_cm2"].map("{:.1f}".format),
        **_incomplete(rows),
        "absolute error %": rows["error_percent"].map("{:.1f}".format),
        "bias cm²": rows["bias_cm2"].map("{:+.1f}".format),
        "limits of agreement cm²": [
            "–" if np.isnan(low) else f"{low:+.1f} to {high:+.1f}"
            for low, high in zip(rows["lower_cm2"], rows["upper_cm2"], strict=True)
        ],
        "ICC": ["–" if np.isnan(icc) else f"{icc:.2f}" for icc in rows["icc"]],
    })  # fmt: skip


def _incomplete(rows: pd.DataFrame) -> dict[str, list[str]]:
    """Number of areas of truncated bodies, where there are any."""
    if not rows["incomplete"].any():
        return {}
    pairs = zip(rows["incomplete"], rows["cases"], strict=True)
    return {"incomplete": [f"{truncated:g} of {cases:g}" for truncated, cases in pairs]}

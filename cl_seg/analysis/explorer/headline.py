"""What came out, in three sentences: who forgets what, what helps, how sure that is."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from cl_seg.analysis.intervals import random_factor
from cl_seg.analysis.many_scanners import scanner_table
from cl_seg.analysis.report.section import ReportData
from cl_seg.analysis.tables import NOT_EVALUABLE, difference_table, rounded
from cl_seg.messages.plural import counted
from cl_seg.records.results import RunResult

FINE_TUNING = "naive"
MAX_NAMED = 4


def headline(data: ReportData) -> dict[str, str]:
    """Question → answer in a sentence, of streams of scanners."""
    return {
        "Who forgets": who_forgets(data),
        "What helps": what_helps(data),
        "How sure": how_sure(data),
    }


def who_forgets(data: ReportData) -> str:
    """Change of Dice by fine-tuning: the network that loses most, where, and the one that does not.

    A network that did not learn its scanners is left out: what was not learned is not forgotten.
    """
    tuned = _fine_tuned(data)
    rows = tuned[_is_evaluable(tuned)].sort_values("BWT", kind="stable")
    if tuned.empty:
        return "Not measured: no network was fine-tuned from scanner to scanner."
    if rows.empty:
        return f"Not evaluable: {_listed(tuned['model'])} did not learn what could be forgotten."
    most, least = rows.iloc[0], rows.iloc[-1]
    text = (
        f"Fine-tuned from scanner to scanner, {most['model']} "
        f"{'loses most' if len(rows) > 1 and most['BWT'] < 0 else 'ends'}: {_score(most, 'BWT')} "
        f"Dice from learning a scanner to the end (BWT){_worst_scanner(data, most)}"
    )
    if len(rows) > 1:
        text += f"; {least['model']} {'loses least' if least['BWT'] < 0 else 'nothing'}, "
        text += _score(least, "BWT")
    return f"{text}; {_how_many_forget(rows)}."


def _fine_tuned(data: ReportData) -> pd.DataFrame:
    """Rows of the summary of networks that were fine-tuned from scanner to scanner."""
    chosen = [
        (row["model"], row["strategy"])
        for _, row in data.summary.iterrows()
        if _is_fine_tuning(data.runs_by_configuration[row["model"], row["strategy"]][0])
    ]
    keys = pd.MultiIndex.from_frame(data.summary[["model", "strategy"]])
    return data.summary[keys.isin(chosen)]


def _is_fine_tuning(run: RunResult) -> bool:
    return run.record.spec.strategy.name == FINE_TUNING and run.training_regime == "sequential"


def _is_evaluable(rows: pd.DataFrame) -> "pd.Series[bool]":
    return rows["verdict"].ne(NOT_EVALUABLE) & rows["BWT"].notna()


def _score(row: "pd.Series[float]", name: str) -> str:
    return rounded(row[name], True, row[f"{name} ±"]).replace("-", "−")


def _worst_scanner(data: ReportData, row: "pd.Series[float]") -> str:
    """The scanner on which a network lost most, from which Dice to which."""
    runs = data.runs_by_configuration[str(row["model"]), str(row["strategy"])]
    table = scanner_table(runs).set_index("scanner")
    if not table["change"].min() < 0:
        return ""
    worst = table.sort_values("change", kind="stable").iloc[0]
    name = runs[0].short_names[str(worst.name)]
    return f", most on {name}, from {worst['learned']:.2f} to {worst['last']:.2f}"


def _how_many_forget(rows: pd.DataFrame) -> str:
    """For how many networks the interval of BWT decides."""
    known = rows["BWT ±"].notna()
    if not known.any():
        return "without an interval this may be chance"
    below = int((rows["BWT"] + rows["BWT ±"] < 0).sum())
    if below == len(rows):
        return "every interval lies below 0" if below > 1 else "the interval lies below 0"
    if len(rows) == 1:
        return "the interval does not lie below 0: undecided"
    return f"the interval lies below 0 for {below} of {len(rows)} networks, the rest is undecided"


def what_helps(data: ReportData) -> str:
    """Gain of ACC over fine-tuning: the strategy that is decided for most networks, then largest.

    ACC, since BWT alone is gained by a network that no longer learns. Training anew on all data so
    far is no remedy and left out, and so are rows that are not evaluable.
    """
    gains = _gains(data)
    if gains.empty:
        return "Not measured: no strategy stands beside fine-tuning that can be evaluated."
    counts = gains.groupby("strategy", sort=False).agg(
        decided=("decided", "sum"), mean=("ACC", "mean"), networks=("ACC", "size")
    )
    ranked = counts.sort_values(["decided", "mean"], ascending=False, kind="stable")
    if ranked["mean"].iloc[0] <= 0:
        return f"Nothing: no strategy gains ACC over fine-tuning ({_listed(ranked.index)})."
    own = gains[gains["strategy"] == ranked.index[0]]
    top = own.loc[own["ACC"].idxmax()]
    gain = f"{_score(top, 'ACC')} ACC over fine-tuning with {top['model']} "
    gain += f"(BWT {_score(top, 'BWT')})"
    known = bool(gains["ACC ±"].notna().any())
    first, *others = (f"{name} {_decided(row, known)}" for name, row in ranked.iterrows())
    text = f"{first}, up to {gain}"
    end = "to help means an interval above 0, not corrected for the number of strategies"
    end = end if known else "without an interval this may be chance"
    return "; ".join([text, *others[:MAX_NAMED], *_more(others), end]) + "."


def _gains(data: ReportData) -> pd.DataFrame:
    """Gains of strategies that go from scanner to scanner, where both sides are evaluable."""
    table = difference_table(data.results)
    if table.empty:
        return table
    evaluable = data.summary.set_index(["model", "strategy"])["verdict"].ne(NOT_EVALUABLE)
    rows = _fine_tuned(data)
    tuned: dict[str, str] = dict(zip(rows["model"], rows["strategy"], strict=True))
    kept = [
        data.runs_by_configuration[model, strategy][0].training_regime == "sequential"
        and model in tuned
        and evaluable[model, strategy]
        and evaluable[model, tuned[model]]
        for model, strategy in zip(table["model"], table["strategy"], strict=True)
    ]
    known = table[np.array(kept) & table["ACC"].notna()]
    return known.assign(decided=known["ACC"] > known["ACC ±"].fillna(np.inf))


def _decided(row: "pd.Series[float]", known: bool) -> str:
    """For how many networks the interval of the gain lies above 0; the mean gain without any."""
    if known:
        return f"helps with {int(row['decided'])} of {counted(int(row['networks']), 'network')}"
    return f"gains {row['mean']:+.3f} in the mean".replace("-", "−")


def how_sure(data: ReportData) -> str:
    """Patients, seeds and orders, what intervals are worth, and what limits all of it."""
    runs, factor = data.results, random_factor(data.results)
    patients = {patient for run in runs for patient in run.patients}
    counts = [
        counted(len(patients), "test patient"),
        counted(len({run.seed for run in runs}), factor.removesuffix("s")),
    ]
    if not data.replicates:
        orders = {tuple(run.order) for run in runs if not run.is_joint}
        counts.append(counted(len(orders) or 1, "order"))
    parts = [", ".join(counts), _intervals(data.summary, factor), *_unlearned(data.summary)]
    return "; ".join([*parts, *runs[0].caveats]) + "."


def _intervals(summary: pd.DataFrame, factor: str) -> str:
    covered = summary.filter(like=" coverage").to_numpy(float)
    covered = covered[np.isfinite(covered)]
    if not covered.size:
        return f"no intervals for other patients and {factor}, so no difference is decided"
    low, high = (f"{100 * value:.0f}" for value in (covered.min(), covered.max()))
    share = low if low == high else f"{low} to {high}"
    return (
        f"± are 95 % intervals for other patients and {factor}, which cover the truth in {share} "
        "% of simulations"
    )


def _unlearned(summary: pd.DataFrame) -> list[str]:
    rows = summary[summary["verdict"] == NOT_EVALUABLE]
    if rows.empty:
        return []
    return [f"not evaluable: {_listed(rows['model'] + ' ' + rows['strategy'])}"]


def _listed(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    named = list(names)
    return ", ".join([*named[:MAX_NAMED], *_more(named)])


def _more(named: Sequence[str]) -> list[str]:
    return [f"{len(named) - MAX_NAMED} more"] if len(named) > MAX_NAMED else []

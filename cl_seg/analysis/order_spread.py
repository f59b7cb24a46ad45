"""How much scores depend on the order of scanners."""

import pandas as pd

from cl_seg.metrics.spread import order_spread

SCORES = ("ACC", "BWT", "plasticity", "worst_scanner", "unseen_after")


def order_spread_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Spread over orders, seeds averaged: a row per network, strategy and score.

    Columns model, strategy, score, orders, seeds, and ``sd``, ``lower`` and ``upper`` of
    :func:`cl_seg.metrics.spread.order_spread`. Only of rows with several orders; an order that
    lacks the score leaves none.

    Args:
        runs: table of :func:`cl_seg.analysis.tables.run_table`.
    """
    rows = []
    for (model, strategy), own in runs.groupby(["model", "strategy"], sort=False):
        of_orders = own.groupby("order", sort=False)
        for score in SCORES:
            values = of_orders[score].mean()
            if len(values) > 1 and values.notna().all():
                row = {"model": model, "strategy": strategy, "score": score, "orders": len(values)}
                seeds = int(of_orders["seed"].nunique().min())
                rows.append({**row, "seeds": seeds, **order_spread(values)._asdict()})
    return pd.DataFrame(rows)


def shown_order_spread(table: pd.DataFrame) -> pd.DataFrame:
    """The spreads rounded for reading, a column per score."""
    shown = [
        f"{sd:.3f} ({lower:.3f} to {upper:.3f})"
        for sd, lower, upper in table[["sd", "lower", "upper"]].to_numpy(float)
    ]
    keys = ["model", "strategy", "orders", "seeds"]
    wide = table.assign(shown=shown).pivot_table(
        index=keys, columns="score", values="shown", aggfunc="first", sort=False
    )
    wide = wide[[score for score in SCORES if score in wide]].fillna("–").reset_index()
    wide.columns.name = None
    return wide.rename(columns=lambda name: name.replace("_", " ")).astype(str)

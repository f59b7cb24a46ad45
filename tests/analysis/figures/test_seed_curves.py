"""SEED curves: a legend that stays within the figure."""

from itertools import product

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg

from cl_seg.analysis.figures.seed_curves import seed_curves
from tests.analysis.test_seed_curve import run


def test_the_legend_stays_within_the_figure_and_holds_every_line_once() -> None:
    ways = list(product(("Naive", "Frozen encoder", "Scratch"), ("random", "entropy")))
    rows = [
        {
            **dict(zip(("strategy", "by"), way, strict=True)),
            "model": "UNet",
            "start": "scratch" if way[0] == "Scratch" else "transfer",
            "images": images,
            "Dice liver": 0.8,
            "Dice liver ±": 0.01,
        }
        for way in ways
        for images in (1, 2)
    ]
    figure = seed_curves(pd.DataFrame(rows), [run("scratch", 1, 0.8, 0)])
    FigureCanvasAgg(figure).draw()
    (legend,) = figure.legends
    assert len(legend.get_texts()) == len(ways)
    box = legend.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
    assert box.y0 >= max(axes.title.get_window_extent().y1 for axes in figure.axes)

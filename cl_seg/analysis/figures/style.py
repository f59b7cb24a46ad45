"""The style of all figures, and their rendering as SVG, PDF or PNG."""

import base64
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import matplotlib as mpl
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

MARKERS = "osD^vP*X<>hd"
Line = str | tuple[int, tuple[int, ...]]
LINES: tuple[Line, ...] = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)))
PNG_DPI = 200
PNG_INSIDE = re.compile(r'(?<="data:image/png;base64,)[^"]*')
LEGEND_LINE, CAVEAT_LINE = 0.2, 0.16  # inches
COLOURS = ("#3b6fb6", "#d1603d", "#4c9f70", "#8e5ea2", "#c9a227", "#5f6b7a", "#b8497a", "#2a9d9d")
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "text.parse_math": False,  # a scanner's name may hold $
    "svg.hashsalt": "cl_seg",
    "svg.fonttype": "path",
}


@dataclass(frozen=True)
class Mark:
    """The line of a strategy, told apart without colour too."""

    colour: str
    marker: str
    line: Line


def strategy_marks(strategies: Sequence[str]) -> dict[str, Mark]:
    """A mark per strategy."""
    kinds = zip(strategies, cycle(COLOURS), cycle(MARKERS), cycle(LINES), strict=False)
    return {name: Mark(colour, marker, line) for name, colour, marker, line in kinds}


def legend_above(figure: Figure, panels: Iterable[Axes], width: float) -> None:
    """One legend of what all panels show, in as many lines as it takes."""
    shown: dict[str, Artist] = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        shown |= dict(zip(labels, handles, strict=True))
    if not shown:
        return
    fitting = max(1, int(width / (0.075 * max(map(len, shown)) + 0.55)))
    rows = -(-len(shown) // fitting)
    columns = -(-len(shown) // rows)  # rows of about one length
    figure.set_figheight(figure.get_figheight() + LEGEND_LINE * rows)
    figure.legend(
        handles=list(shown.values()),
        labels=list(shown),
        loc="outside upper center",
        ncols=columns,
        frameon=False,
    )


def colour_bar(figure: Figure, panels: npt.NDArray[Any], title: str) -> None:
    """One scale of the colours that maps without numbers share, beside all of them."""
    drawn = next(axes.images[0] for axes in panels.flat if axes.images)
    height = figure.get_figheight()
    figure.colorbar(drawn, ax=panels, label=title, fraction=0.05, aspect=max(20, 4 * height))


def lowest_labelled(panels: Iterable[Axes], columns: int, used: int) -> None:
    """Hide the panels behind the last used one; the lowest of each column shows the numbers of x.

    Args:
        panels: panels of a grid, row by row, that share x.
        columns: number of columns of the grid.
        used: number of panels that show something.
    """
    every = list(panels)
    for axes in every[used:]:
        axes.set_axis_off()
    for axes in every[max(0, used - columns) : used]:
        axes.tick_params(labelbottom=True)


def with_caveats(figure: Figure, caveats: Sequence[str]) -> Figure:
    """The figure, laid out, with the sentences it must show in a corner."""
    line = CAVEAT_LINE / figure.get_figheight()
    layout = figure.get_layout_engine()
    if isinstance(layout, ConstrainedLayoutEngine):
        layout.set(rect=(0, line, 1, 1 - line))
        layout.execute(figure)
        figure.set_layout_engine("none")  # once is enough for all formats
        for label in figure.texts:
            if label.get_position()[1] < line:
                label.set_y(label.get_position()[1] + line)  # the rectangle is for axes alone
    below = 0 if layout else -line
    figure.text(1, below, " · ".join(caveats), ha="right", va="bottom", fontsize=7, color="#6b7280")
    return figure


def as_svg(figure: Figure) -> str:
    """A figure as SVG text, the same bytes every time."""
    text = PNG_INSIDE.sub(_with_palette, rendered(figure, "svg").decode())
    return text[text.index("<svg") :]


def _with_palette(found: re.Match[str]) -> str:
    """The same picture with a palette, in a third of the bytes, if it has at most 256 colours."""
    picture = Image.open(io.BytesIO(base64.b64decode(found[0]))).convert("RGB")
    colours = picture.getcolors(256)
    if colours is None:
        return found[0]
    buffer = io.BytesIO()
    picture.quantize(len(colours), dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def rendered(figure: Figure, file_format: str) -> bytes:
    """A figure as ``svg``, ``pdf`` or ``png``, the same bytes every time.

    One without a layout of its own is cut to what is in it.
    """
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        laid_out = figure.get_layout_engine() is not None
        if laid_out and file_format == "svg":
            # savefig would draw it twice, the first time to find its layout.
            figure.set_dpi(PNG_DPI)
            FigureCanvasSVG(figure).print_svg(buffer, metadata=undated["svg"])  # type: ignore[no-untyped-call]
        else:
            box = None if laid_out else "tight"
            figure.savefig(
                buffer,
                format=file_format,
                bbox_inches=box,
                dpi=PNG_DPI,
                metadata=undated.get(file_format),
            )
    return buffer.getvalue()

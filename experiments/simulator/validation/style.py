"""How figures of the validation look."""

from typing import Any

# Told apart by the colour-blind (Okabe & Ito 2008).
BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE)
MARKERS = ("o", "s", "^", "D")
GREY, LIGHT, BAND = "#6b7280", "#c3c7cd", "#f3f4f6"
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "svg.hashsalt": "cl_seg",
    "pdf.fonttype": 42,
}
A4 = (8.27, 11.69)  # inches
# No dates: the same measurements are the same file.
METADATA: dict[str, dict[str, Any]] = {
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
    ".png": {},
}


def minus(text: str) -> str:
    """The text with true minus signs."""
    return text.replace("-", "−")

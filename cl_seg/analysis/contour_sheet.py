"""A page with a few slices of every case, the contours of its labels drawn over them."""

import base64
import html
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from cl_seg.files.write import write_text
from cl_seg.metrics.contours import contour
from cl_seg.scans.store import UNLABELLED, SliceStore

Picture = npt.NDArray[np.uint8]

TILE, SLICES = 256, 5  # pixels per side of a slice, slices of a case
CENTRE, WIDTH = 40.0, 400.0  # HU, the usual window of the abdomen
AIR = -500  # HU, denser is body or table
COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (204, 121, 167))
"""Of classes 1, 2 and so on, again from the first after the last (Okabe & Ito 2008)."""
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ background: #111; color: #ddd; font: 14px sans-serif; margin: 1rem }}
figure {{ margin: 0 0 1rem }} img {{ max-width: 100%; display: block }}
</style></head><body><h1>{title}</h1>
<p>{legend}. Front at the top, the patient's left on the right; window {low:.0f} to {high:.0f} HU.
</p>
{figures}
</body></html>
"""


@dataclass(frozen=True)
class LabelledCase:
    """Slices of a case with labels.

    Attributes:
        name: caption.
        hu: (N, H, W) int16.
        labels: (N, H, W) uint8, 0 background, 255 unlabelled.
    """

    name: str
    hu: npt.NDArray[Any]
    labels: npt.NDArray[Any]


class ContourSheet:
    """A page of cases, held as compressed pictures until it is written.

    Args:
        title: of the page.
        classes: names of labels 1, 2, ….
    """

    def __init__(self, title: str, classes: Sequence[str]) -> None:
        self.title, self.classes = title, classes
        self._figures: list[str] = []

    def add(self, case: LabelledCase) -> None:
        """Draw a case below those before it."""
        shown = slices_to_show(case.labels)
        box = body_box(case.hu[shown])
        tiles = [framed(case.hu[i][box], case.labels[i][box]) for i in shown]
        written = io.BytesIO()
        Image.fromarray(np.concatenate(tiles, axis=1)).save(written, "PNG", optimize=True)
        picture = base64.b64encode(written.getvalue()).decode()
        caption = html.escape(f"{case.name}: slices {', '.join(str(i + 1) for i in shown)} of ")
        self._figures.append(
            f"<figure><figcaption>{caption}{len(case.labels)}</figcaption>"
            f'<img loading="lazy" alt="" src="data:image/png;base64,{picture}"></figure>'
        )

    def write(self, path: Path) -> None:
        """Write the page, self-contained."""
        legend = ", ".join(
            f'<b style="color: rgb{_colour(value)}">{html.escape(name)}</b>'
            for value, name in enumerate(self.classes, start=1)
        )
        low, high = CENTRE - WIDTH / 2, CENTRE + WIDTH / 2
        figures = "\n".join(self._figures)
        title = html.escape(self.title)
        page = PAGE.format(title=title, legend=legend, low=low, high=high, figures=figures)
        write_text(path, page)


def slices_to_show(labels: npt.NDArray[Any]) -> list[int]:
    """Numbers of up to ``SLICES`` slices, spread evenly over those with a class, else over all.

    Args:
        labels: (N, H, W), N at least 1.
    """
    found = ((labels != 0) & (labels != UNLABELLED)).any(axis=(1, 2))
    among = np.flatnonzero(found) if found.any() else np.arange(len(labels))
    places = np.linspace(0, len(among) - 1, min(SLICES, len(among))).round().astype(int)
    return [int(i) for i in among[places]]


def body_box(hu: npt.NDArray[Any]) -> tuple[slice, slice]:
    """Rows and columns of (N, H, W) slices that hold all that is no air, or all of them."""
    dense = np.any(hu > AIR, axis=0)
    if not dense.any():
        return slice(None), slice(None)
    rows, columns = (np.flatnonzero(dense.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def framed(hu: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Picture:
    """(TILE, TILE, 3): an (H, W) slice in grey, with the contour of every class in its colour."""
    share = (hu.astype(np.float32) - (CENTRE - WIDTH / 2)) / WIDTH
    grey = Image.fromarray((255 * np.clip(share, 0, 1)).round().astype(np.uint8))
    fitted = ImageOps.pad(grey, (TILE, TILE), Image.Resampling.BILINEAR)
    picture = np.array(fitted.convert("RGB"))
    masks = Image.fromarray(labels.astype(np.uint8))
    drawn = np.asarray(ImageOps.pad(masks, (TILE, TILE), Image.Resampling.NEAREST))
    for value in set(np.unique(drawn).tolist()) - {0, UNLABELLED}:
        picture[contour(drawn == value)] = _colour(value)
    return picture


def cases_of_store(store: SliceStore) -> Iterator[LabelledCase]:
    """Every series of a store, named by its case, series and scanner."""
    for scanner in store.scanners:
        hu, labels = store.hu(scanner), store.labels(scanner)
        own = store.slices[store.slices["scanner"] == scanner]
        for (case, series), slices in own.groupby(["case", "series"], sort=False):
            rows = slices.sort_values("z_mm")["row"].to_numpy()
            yield LabelledCase(f"{case}, series {series}", hu[rows], labels[rows])


def _colour(value: int) -> tuple[int, int, int]:
    return COLOURS[(value - 1) % len(COLOURS)]

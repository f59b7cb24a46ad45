"""One body on every scanner: pictures beside the numbers."""

import io
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from rich.console import Console
from rich.progress import track

from cl_seg.phantom.anatomy.body import draw_body
from cl_seg.phantom.anatomy.slices import LEVELS
from cl_seg.phantom.profiles import Profile, load_profile
from cl_seg.phantom.series import simulate_series
from cl_seg.phantom.sheet import CENTRE, WIDTH, Grey, scan_settings, window
from cl_seg.phantom.simulated_scan import SimulatedScan
from cl_seg.scans.resample import Placement, resample_image
from cl_seg.scans.store import Grid
from experiments.simulator.validation.measure import global_noise
from experiments.simulator.validation.style import A4, GREY, STYLE

BODY, SEED = "shared-body-0007", 0
GRID = Grid(320, 1.25)
HEIGHT = 224  # pixels of the picture's middle that are shown
COLUMNS = 2
DPI = 160


@dataclass(frozen=True)
class Picture:
    """A body on one scanner.

    Attributes:
        scanner: its name.
        profile: what it is.
        levels: a (224, 320) image of grey values per level.
        noise: in HU, at the level of the liver.
    """

    scanner: str
    profile: Profile
    levels: list[Grey]
    noise: float

    @property
    def caption(self) -> str:
        """Settings and noise."""
        kernel = self.profile.reconstruction.kernel
        return f"{scan_settings(self.profile)}, {kernel}, {self.noise:.0f} HU"


def picture(scanner: str) -> Picture:
    """Scan the body at every level."""
    profile = load_profile(scanner)
    margin = (GRID.size - HEIGHT) // 2
    levels = []
    for level in LEVELS:
        series = simulate_series(SimulatedScan(BODY, scanner, profile, SEED), level)
        volume, (x, y) = series.volume, series.centre_mm
        grey = window(resample_image(volume.hu[0], volume, Placement((y, x)), GRID))
        levels.append(grey[margin : margin + HEIGHT])
    # The liver, the last level, is the largest even organ.
    return Picture(scanner, profile, levels, global_noise(volume.hu[0], volume.spacing_mm[0]))


def pictures(scanners: list[str]) -> list[Picture]:
    """The body on some scanners, by the names of their profiles."""
    shown = track(scanners, "Scanning", console=Console(stderr=True), transient=True)
    return [picture(scanner) for scanner in shown]


def gallery_png(found: list[Picture]) -> bytes:
    """The gallery as a grey PNG, a third of the size of a coloured one."""
    coloured, grey = io.BytesIO(), io.BytesIO()
    with mpl.rc_context(STYLE):
        draw_gallery(found).savefig(coloured, format="png", dpi=DPI)
    Image.open(coloured).convert("L").save(grey, "PNG", optimize=True)
    return grey.getvalue()


def draw_gallery(found: list[Picture]) -> Figure:
    """Pictures in two columns on A4, every level beside the other."""
    body = draw_body(SEED, BODY)
    who = f"{'man' if body.male else 'woman'}, {body.age:.0f} years, BMI {body.bmi:.0f}"
    with mpl.rc_context(STYLE):
        figure = Figure(A4)
        figure.text(0.01, 0.984, f"One simulated body on {len(found)} simulated scanners",
                    fontsize=11, weight="bold", va="center")  # fmt: skip
        about = f"{who}; window {WIDTH:g}, level {CENTRE:g} HU; last number: noise"
        figure.text(0.985, 0.984, about, ha="right", va="center")
        rows = -(-len(found) // COLUMNS)
        for index, one in enumerate(found):
            _pair(figure, one, index // COLUMNS, index % COLUMNS, 0.965 / max(rows, 7))
    return figure


def _pair(figure: Figure, one: Picture, row: int, column: int, height: float) -> None:
    """Name and caption in a line each, and the levels below them; in shares of the figure."""
    wide = 0.98 / COLUMNS
    left, top = 0.01 + column * (wide + 0.005), 0.968 - row * height
    figure.text(left, top - 0.007, one.scanner, weight="bold", va="center")
    figure.text(left + wide - 0.01, top - 0.007, one.caption, color=GREY, ha="right", va="center")
    image = np.concatenate(one.levels, axis=1)
    axes = figure.add_axes((left, top - height + 0.002, wide - 0.005, height - 0.016))
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, aspect="auto", interpolation="antialiased")
    axes.set_axis_off()

"""The progress of a running suite: a live table in a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cl_seg.planning.stages import Stage
from cl_seg.suite.cache import StageCache
from cl_seg.suite.durations import Durations
from cl_seg.suite.progress import read_progress
from cl_seg.suite.stage_queue import StageQueue


class ShowsProgress(Protocol):
    """Anything that shows how far the stages of a queue are."""

    def showing(self) -> AbstractContextManager[None]:
        """Show inside."""

    def update(self) -> None:
        """Show how far the stages under way are."""

    def on_finished(self, stage: Stage) -> None:
        """Show that a stage is finished."""


ProgressFactory = Callable[[StageQueue, StageCache, Durations], ShowsProgress]


class View:
    """The state of a running suite.

    Args:
        stage_queue: of the suite.
        cache: whose unfinished stages tell how far they are.
        durations: of finished stages.
        console: where to draw.
    """

    def __init__(
        self, stage_queue: StageQueue, cache: StageCache, durations: Durations, console: Console
    ) -> None:
        self.stage_queue, self.cache, self.durations = stage_queue, cache, durations
        self.console = console
        self._bar = Progress(
            TextColumn("stages"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("elapsed · {task.fields[left]}"),
            console=console,
        )
        self._task = self._bar.add_task("", total=0, left="")
        self._live: Live | None = None

    @classmethod
    def for_console(cls, console: Console) -> ProgressFactory:
        """Makes the view of a queue on a console."""
        return partial(cls, console=console)

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Draw inside; in a terminal the picture is replaced, else lines are added."""
        if not self.console.is_terminal:
            yield
            return
        with Live(self._picture(), console=self.console, refresh_per_second=4) as live:
            self._live = live
            yield
            live.update(self._picture())
        self._live = None

    def update(self) -> None:
        """Draw again."""
        if self._live is not None:
            self._live.update(self._picture())

    def on_finished(self, stage: Stage) -> None:
        """Say that a stage is finished, where no live picture does."""
        if self._live is None:
            total = len(self.stage_queue.done) + self.stage_queue.unfinished_count
            text = f"{len(self.stage_queue.done)}/{total} {stage.title} · {self._left()}"
            self.console.print(text, markup=False, soft_wrap=True)

    def _picture(self) -> Group:
        stage_queue = self.stage_queue
        done, failed = len(stage_queue.done), len(stage_queue.failed)
        left = self._left() + (f" · {failed} failed" if failed else "")
        self._bar.update(
            self._task, completed=done, total=done + stage_queue.unfinished_count, left=left
        )
        table = Table(box=None, show_header=False, padding=(0, 1))
        for key in stage_queue.running:
            noted = read_progress(self.cache.working_folder(key))
            steps = f"{noted['step']}/{noted['steps']}" if noted else ""
            dice = f"Dice {noted['dice']:.3f}" if noted and noted["dice"] is not None else ""
            table.add_row("running", stage_queue.graph.stages[key].title, steps, dice)
        return Group(self._bar, table)

    def _left(self) -> str:
        shares = dict.fromkeys(self.stage_queue.running, 1.0)
        for key in shares:
            noted = read_progress(self.cache.working_folder(key))
            if noted:
                shares[key] -= noted["step"] / noted["steps"]
                stage = self.stage_queue.graph.stages[key]
                if self.durations.observe(stage, noted["seconds_per_step"]):
                    self.stage_queue.update_priorities()
        waiting = self.stage_queue.waiting.values()
        if not self.durations.has_kind("train") and any(s.kind == "train" for s in waiting):
            return "time left not known yet"
        seconds = max(0.0, self.stage_queue.seconds_left)
        for key, share in shares.items():
            seconds += self.durations.seconds(self.stage_queue.graph.stages[key]) * share
        return f"about {duration_text(seconds / max(1, self.stage_queue.workers))} left"


def duration_text(seconds: float) -> str:
    """``40 s``, ``12 min`` or ``3 h 20 min``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"

"""Where the progress of long work is shown: standard error."""

from rich.console import Console


class _Shown:
    quiet = False


def show_progress(wanted: bool) -> None:
    """Say whether progress is shown from now on."""
    _Shown.quiet = not wanted


def progress_console() -> Console:
    """Standard error, in a notebook too, where rich would draw every line as a result."""
    return Console(stderr=True, highlight=False, quiet=_Shown.quiet, force_jupyter=False)

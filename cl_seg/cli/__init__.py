"""The command line: a thin caller of :mod:`cl_seg.api`.

Slow packages are imported inside the command that needs them.
"""

import signal
import sys
from typing import Annotated

import typer

import cl_seg
from cl_seg.cli import (
    certify,
    contract,
    data,
    listing,
    model,
    monitor,
    phantom,
    results,
    seed,
    stage_cache,
    suite,
    update,
)
from cl_seg.cli.command_group import command_group
from cl_seg.cli.console import Verbosity, print_error, set_verbosity
from cl_seg.cli.encoding import show_what_can_be_shown, start_in_utf8_mode
from cl_seg.cli.schema import schema
from cl_seg.messages.errors import InputError, one_line

INTERRUPTED = 130
PANELS = {
    "Data": (data.ingest, data.dataset),
    "Run": (suite.plan, suite.run, suite.status, suite.processor),
    "Results": (
        *(results.report, results.best_settings, results.claims, results.compare),
        *(certify.certify, results.pack, results.unpack),
    ),
    "Models": (model.predict, monitor.monitor, monitor.calibrate, update.update),
    "Checks": (contract.contract, contract.check_plugin, schema),
}
GROUPS = {
    "list": (listing.app, "Run"),
    "cache": (stage_cache.app, "Run"),
    "model": (model.app, "Models"),
    "seed": (seed.app, "SEED labelling"),
    "phantom": (phantom.app, "Simulator"),
}

app = command_group(
    "Measure catastrophic forgetting of CT segmentation models across scanners.",
    pretty_exceptions_enable=False,
)
for panel, commands in PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
for name, (group, panel) in GROUPS.items():
    app.add_typer(group, name=name, rich_help_panel=panel)
app.command(hidden=True)(results.select)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"cl-seg {cl_seg.__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_version, is_eager=True
        ),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", help="Also print the plan of a run and every file left out."
        ),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only errors and the path of the output.")
    ] = False,
) -> None:
    if verbose and quiet:
        raise InputError("--verbose and --quiet contradict each other: give only one of them")
    set_verbosity(Verbosity(Verbosity.NORMAL + verbose - quiet))


def _explained(error: OSError) -> str:
    """The file, what the system says of it and, where rights are missing, the remedy."""
    remedy = "give yourself the right to read and write it, or choose another place"
    parts = (error.filename, error.strerror or error, isinstance(error, PermissionError) and remedy)
    return ": ".join(str(part) for part in parts if part)


def main() -> None:
    """Entry point: bad input is one clear line per problem and exit code 2, never a traceback."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    start_in_utf8_mode()
    show_what_can_be_shown()
    try:
        app()
    except InputError as error:
        print_error(str(error))
        sys.exit(2)
    except UnicodeEncodeError as error:
        around = error.object[max(0, error.start - 80) : error.end + 40]
        print_error(f"{one_line(around)!r} is not UTF-8: rename the file; nothing was written")
        sys.exit(2)
    except MemoryError as error:
        print_error(f"out of memory ({one_line(error) or 'no details'}): nothing was written")
        sys.exit(2)
    except OSError as error:
        print_error(_explained(error))
        sys.exit(2)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            words = [word for word in sys.argv[1:] if not word.startswith("-")]
            kept = words[:1] in (["run"], ["update"]) or words[:2] == ["seed", "train"]
            print_error(
                "stopped; finished work is kept: run the same command again to continue"
                if kept
                else "stopped; no unfinished files are left behind"
            )
        raise

"""The command line; heavy rooms are imported inside the command that needs them."""

import os
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from cl_seg.cli.console import (
    CORES,
    AllowImplausibleHu,
    Others,
    OthersOption,
    Workers,
    complain,
    out,
    say,
    shown,
)
from cl_seg.cli.contract import check_plugin, contract
from cl_seg.cli.dataset import dataset
from cl_seg.cli.encoding import show_what_can_be_shown, start_in_utf8_mode
from cl_seg.cli.model import app as model_app
from cl_seg.cli.model import predict
from cl_seg.cli.phantom import app as phantom_app
from cl_seg.cli.phantom import check_spacing
from cl_seg.cli.results import claims, compare, pack, report, select, unpack
from cl_seg.cli.schema import schema
from cl_seg.cli.seed import app as seed_app
from cl_seg.messages.errors import InputError, one_line

if TYPE_CHECKING:
    from cl_seg.planning.plan import Plan
    from cl_seg.suite.engines import Engine

app = typer.Typer(
    help="Measure catastrophic forgetting of CT segmentation models across scanners.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cache_app = typer.Typer(help="Look at and clean up finished stages.", no_args_is_help=True)
app.add_typer(cache_app, name="cache")
app.add_typer(phantom_app, name="phantom")
app.add_typer(seed_app, name="seed")
app.add_typer(model_app, name="model")
for command in (
    *(predict, dataset, contract, check_plugin, schema),
    *(report, select, claims, compare, pack, unpack),
):
    app.command()(command)

SuiteFiles = Annotated[list[Path], typer.Argument(help="Suite files (YAML).", show_default=False)]
CacheOption = Annotated[
    Path, typer.Option("--cache", help="Folder of finished stages, shared by suites and machines.")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Store that replaces the suite's own data.")
]
ResultsOption = Annotated[
    Path | None, typer.Option(help="Folder for results; results/<suite name> by default.")
]
ProcessorOption = Annotated[
    str,
    typer.Option(
        "--processor",
        envvar="CL_SEG_PROCESSOR",
        help="Processor that computes the stages, where it is not that of this machine.",
    ),
]
SLURM: dict[str, Any] = {"rich_help_panel": "On Slurm"}
STAGES = Path("data/stages")
INTERRUPTED = 130


class Derived(StrEnum):
    """What becomes of monoenergetic, virtual non-contrast and other derived images."""

    APART = "apart"
    LEAVE_OUT = "leave-out"


class EngineName(StrEnum):
    """Where stages are computed."""

    LOCAL = "local"
    SLURM = "slurm"


@app.command()
def plan(
    suite_files: SuiteFiles,
    data: DataOption = None,
    results: ResultsOption = None,
    cache: CacheOption = STAGES,
    processor: ProcessorOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Check suites and list their runs and stages, without running anything."""
    from cl_seg.planning.plan import resolve_all
    from cl_seg.suite.cache import StageCache
    from cl_seg.suite.execute import recorded_runs
    from cl_seg.suite.summary import json_summary, summary

    plans = resolve_all(suite_files, data, cache, processor)
    recorded = recorded_runs(plans, _result_folders(plans, results))
    if as_json:
        sys.stdout.write(json_summary(plans, StageCache(cache), recorded) + "\n")
        return
    for line in summary(plans, StageCache(cache), recorded):
        say(line)


def _result_folders(plans: "list[Plan]", results: Path | None) -> list[Path]:
    from cl_seg.records.tables import PACKED
    from cl_seg.suite.execute import RESULTS

    if results is not None and len(plans) > 1:
        raise InputError("--results: give it for one suite, several have a folder each")
    folders = [results or RESULTS / plan.name for plan in plans]
    for folder in folders:
        if (folder / PACKED).is_file():
            raise InputError(
                f"{folder} holds packed results ({PACKED}), which nothing is computed into: make a "
                f"folder of them with `cl-seg unpack {folder} NEW_FOLDER` and name that"
            )
    if len(set(folders)) < len(folders):
        raise InputError("two of the suites have the same `name`: their results would mix")
    return folders


@app.command()
def run(
    suite_files: SuiteFiles,
    data: DataOption = None,
    results: ResultsOption = None,
    cache: CacheOption = STAGES,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Processes working side by side, 0 for this one; by default as many as the cores "
            "allow with the threads of each.",
        ),
    ] = None,
    checkpoint_seconds: Annotated[
        float, typer.Option(min=0, help="Seconds between two checkpoints of a training.")
    ] = 30.0,
    engine: Annotated[
        EngineName, typer.Option(help="Where stages are computed.")
    ] = EngineName.LOCAL,
    processor: ProcessorOption = "",
    partition: Annotated[str, typer.Option(help="Partition of the cluster.", **SLURM)] = "",
    gres: Annotated[str, typer.Option(help="Resources of a job, e.g. gpu:1.", **SLURM)] = "",
    time: Annotated[
        str, typer.Option(help="Time limit of a job; what is left then is queued again.", **SLURM)
    ] = "4:00:00",
    max_jobs: Annotated[
        int, typer.Option(min=1, help="Jobs in the queue at once, at most.", **SLURM)
    ] = 100,
    sbatch: Annotated[
        list[str] | None,
        typer.Option(help="Any other sbatch option, e.g. account=lab or mem=16G; repeat.", **SLURM),
    ] = None,
) -> None:
    """Run suites and write their reports; what is finished is not repeated."""
    from cl_seg.planning.plan import resolve_all
    from cl_seg.suite.cache import StageCache
    from cl_seg.suite.execute import execute

    plans = resolve_all(suite_files, data, cache, processor)
    folders = _result_folders(plans, results)
    threads = max(plan.context.training.threads for plan in plans)
    if workers is None:
        workers = max(1, CORES // threads)
    chosen: Engine
    if engine is EngineName.SLURM:
        from cl_seg.suite.engines.slurm import SlurmEngine
        from cl_seg.suite.engines.slurm_queue import Resources, minutes_of, sbatch_options

        options = sbatch_options(sbatch or [])
        resources = Resources(partition, gres, minutes_of(time), threads, options)
        chosen = SlurmEngine(resources, max_jobs, checkpoint_seconds, say)
    elif partition or gres or sbatch:
        raise InputError("--partition, --gres and --sbatch are for --engine slurm")
    elif workers:
        from cl_seg.suite.engines.local import LocalEngine

        chosen = LocalEngine(workers, threads, checkpoint_seconds)
    else:
        from cl_seg.suite.engines.single import SingleEngine

        chosen = SingleEngine(checkpoint_seconds)
    outcomes = execute(plans, folders, StageCache(cache), chosen, max(1, workers), say)
    for outcome in outcomes:
        for run_id, reason in outcome.failures.items():
            complain(f"{run_id} failed: {reason}")
        if outcome.report is not None:
            say(f"report: {outcome.report}")
    if any(outcome.failures for outcome in outcomes):
        raise typer.Exit(1)


@app.command()
def status(
    suite_files: SuiteFiles,
    data: DataOption = None,
    results: ResultsOption = None,
    cache: CacheOption = STAGES,
    processor: ProcessorOption = "",
) -> None:
    """Say how far suites are, from the files alone: whoever computes them, wherever."""
    from cl_seg.planning.plan import resolve_all
    from cl_seg.suite.cache import StageCache
    from cl_seg.suite.execute import recorded_runs
    from cl_seg.suite.summary import progress_lines

    plans = resolve_all(suite_files, data, cache, processor)
    recorded = recorded_runs(plans, _result_folders(plans, results))
    for line in progress_lines(plans, StageCache(cache), recorded):
        say(line)


@cache_app.command("ls")
def cache_ls(cache: CacheOption = STAGES) -> None:
    """List the finished stages with their sizes, and what is begun or damaged."""
    from cl_seg.suite.cache import StageCache
    from cl_seg.suite.summary import cache_lines

    for line in cache_lines(StageCache(cache)):
        say(line)


@cache_app.command("prune")
def cache_prune(
    keep: Annotated[
        list[Path] | None, typer.Argument(help="Suites whose stages are kept.", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Keep no stage.")] = False,
    data: DataOption = None,
    cache: CacheOption = STAGES,
    processor: ProcessorOption = "",
) -> None:
    """Remove the stages that none of some suites needs; results of finished runs stay."""
    from cl_seg.planning.plan import resolve
    from cl_seg.suite.cache import StageCache

    if bool(keep) == everything:
        raise InputError("name the suites whose stages to keep, or say --all to keep none")
    place = StageCache(cache)
    kept: set[str] = set()
    for file in keep or []:
        plan = resolve(file, data, cache, processor)
        if not plan.has_data:
            raise InputError(
                f"{file}: its simulated data are not here, nor can its stages be known"
            )
        kept |= plan.stages.keys()
    before = sum(place.sizes().values())
    place.prune(kept)
    after = sum(place.sizes().values())
    say(f"{(before - after) / 1e6:.1f} MB removed, {after / 1e6:.1f} MB kept in {cache}")


@app.command()
def ingest(
    source: Annotated[
        Path, typer.Argument(help="Folder of DICOM files, or a CSV manifest.", show_default=False)
    ],
    store: Annotated[Path, typer.Argument(help="Store to make.", show_default=False)],
    label: Annotated[
        list[str] | None,
        typer.Option(
            help="Label values of a class, e.g. liver=5 or muscle=86,87, or of background or "
            "ignore, e.g. background=1-4,7; repeat."
        ),
    ] = None,
    others: OthersOption = Others.ERROR,
    aliases: Annotated[
        Path | None, typer.Option(help="Scanner aliases (YAML) merged over the package's own.")
    ] = None,
    size: Annotated[
        int, typer.Option(min=16, max=2048, help="Pixels per side of a stored slice.")
    ] = 320,
    spacing_mm: Annotated[float, typer.Option(help="Pixel size of a stored slice in mm.")] = 1.6,
    salt: Annotated[
        str | None,
        typer.Option(
            envvar="CL_SEG_SALT",
            help="Secret that makes patient hashes repeatable; random and forgotten by default.",
        ),
    ] = None,
    allow_implausible_hu: AllowImplausibleHu = False,
    scanner_by: Annotated[
        str,
        typer.Option(
            help="What makes a scanner, separated by commas: manufacturer, model, kernel, kv, "
            "station (which is hashed).",
            show_default="all but station",
        ),
    ] = "manufacturer,model,kernel,kv",
    derived: Annotated[
        Derived,
        typer.Option(help="Images that are no plain CT: a scanner of their own, or left out."),
    ] = Derived.APART,
    workers: Workers = CORES,
) -> None:
    """Read CT scans into a store, scanner by scanner as their headers name them."""
    from cl_seg.scans.ingest import ingest as read_scans
    from cl_seg.scans.labels.label_map import parse_label_map
    from cl_seg.scans.scanner.identity import parse_scanner_by
    from cl_seg.scans.store import Grid

    check_spacing(spacing_mm)
    report = read_scans(
        source,
        store,
        labels=parse_label_map(label or [], others.value),
        aliases=aliases,
        grid=Grid(size, spacing_mm),
        salt=os.fsencode(salt) if salt else None,
        allow_implausible_hu=allow_implausible_hu,
        scanner_by=parse_scanner_by(scanner_by),
        derived=derived.value,
        workers=workers,
    )
    table = Table("scanner", "cases", "slices", "labelled slices", box=None)
    for scanner in report.scanners:
        labelled = ", ".join(f"{name} {count}" for name, count in scanner.labelled.items())
        counts = str(scanner.cases), str(scanner.slices), labelled or "none"
        table.add_row(shown(scanner.name), *counts)
    out.print(table)
    say("scanners in `orders` of a suite: " + ", ".join(s.folder for s in report.scanners))
    for item in report.rejected:
        files = f" ({item.files} files)" if item.files > 1 else ""
        say(f"rejected {item.path}{files}: {item.reason}")
    for note in report.notes:
        say(f"note: {note}")
    say(f"store: {store}")


def main() -> None:
    """Entry point: bad input is one clear line per problem and exit code 2, never a traceback."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    start_in_utf8_mode()
    show_what_can_be_shown()
    try:
        app()
    except InputError as error:
        complain(str(error))
        sys.exit(2)
    except UnicodeEncodeError as error:
        around = error.object[max(0, error.start - 80) : error.end + 40]
        complain(f"{one_line(around)!r} is no UTF-8: rename it; nothing was kept")
        sys.exit(2)
    except MemoryError as error:
        complain(f"out of memory ({one_line(error) or 'nothing is left'}): nothing was kept")
        sys.exit(2)
    except OSError as error:
        complain(": ".join(str(part) for part in (error.filename, error.strerror or error) if part))
        sys.exit(2)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            kept = sys.argv[1:2] == ["run"] or sys.argv[1:3] == ["seed", "train"]
            complain(
                "stopped; what is done is kept, the same command goes on from there"
                if kept
                else "stopped; nothing half-written is left"
            )
        raise

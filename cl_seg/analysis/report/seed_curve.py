"""SEED curves: Dice on a new scanner against the number of slices labelled there."""

from cl_seg.analysis.figures.seed_curves import seed_curves
from cl_seg.analysis.many_scanners import listed
from cl_seg.analysis.report.section import ReportData, Section
from cl_seg.analysis.seed_curve import seed_images_of, shown_seed_curve_table, verdicts
from cl_seg.records.run_spec import SavedModelSpec

TRANSFER = "{} goes on with the SEED images; the strategy says which of its weights are trained"
AS_IT_IS = {"0 images": "the saved model as it is, whatever the strategy and the seed"}
DEFINITIONS = {
    "scratch": "the same network, untrained, on the same SEED images, for as many steps",
    "Dice": "on the test patients of the new scanner, classes averaged",
    "±": "half of a 95 % interval for other patients and other seeds, both taken as random",
    "left to draw": "length of the true contour that the proposal does not cover, as a share of "
    "the whole contour (added path length, Vaassen et al. 2020)",
    "to correct": "area per slice that has to be added or taken away",
}
CAPTION = (
    "Dice on {} against the number of slices labelled there; lines are transferred networks, "
    "dashes are trained from scratch; bars are 95 % intervals."
)


def table(data: ReportData) -> Section:
    """Dice and the work that is left, with the verdict on the study's claim."""
    first = data.results[0]
    images = seed_images_of(first)
    base = f"Base scanners: {', '.join(images.base)}"
    transfer = {"transfer": TRANSFER.format("the network of the base scanners")}
    if images.base_model is not None:
        base = _starting_model(images.base_model)
        transfer = {"transfer": TRANSFER.format("the saved model"), **AS_IT_IS}
    return Section(
        "SEED curve",
        table=shown_seed_curve_table(data.seed_curve_table, first.classes),
        notes=[f"{base}; new scanner: {first.order[-1]}.", *verdicts(data.seed_curve_runs)],
        definitions=transfer | DEFINITIONS,
        files={"summary": data.seed_curve_table},
    )


def _starting_model(model: SavedModelSpec) -> str:
    """Its name and checksum, and what its card says it was trained on."""
    seen = listed(list(model.scanners.values())) or "scanners that its card does not name"
    kind = " (simulated CT only)" if model.simulated else ""
    return f"Starting model: {model.name} ({model.weights_sha256[:12]}), trained on {seen}{kind}"


def curves(data: ReportData) -> Section:
    """The table as a figure."""
    first = data.results[0]
    caption = CAPTION.format(first.record.scanner_names[first.order[-1]])
    figure = seed_curves(data.seed_curve_table, data.results)
    return Section("Dice by labelled slices", figures={"seed_curve": (caption, figure)})

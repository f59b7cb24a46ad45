"""The data of the interactive figures: cells, cases and pictures."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t
from skimage.draw import polygon

from cl_seg.analysis.explorer import cases as case_module
from cl_seg.analysis.explorer import pictures as picture_module
from cl_seg.analysis.explorer.cases import case_scores_of
from cl_seg.analysis.explorer.cells import cells_of
from cl_seg.analysis.explorer.embed import explorer_data, script
from cl_seg.analysis.explorer.pictures import contours, pictures_of, slice_score, slices_of
from cl_seg.analysis.explorer.thinning import left_out, widest_first
from cl_seg.analysis.report.section import ReportData
from cl_seg.records.results import RunResult
from cl_seg.records.tables import InMemoryTables
from tests.records.factory import NAIVE, cases_of, examples_of, run_record, run_result


def of_patients(dice: list[float], seed: int = 0) -> RunResult:
    """A run of patients with these Dice in every cell."""
    record = run_record([[float(np.mean(dice))] * 2] * 3, spec={"seed": seed})
    cases = [
        cases_of(record).assign(
            patient=f"p{i}", dice=d, case=lambda own, i=i: own["case"] + f"-{i}"
        )
        for i, d in enumerate(dice)
    ]
    return RunResult(record, InMemoryTables(pd.concat(cases)))


def test_a_cell_of_one_seed_has_the_interval_of_the_mean_of_its_patients() -> None:
    dice = [0.7, 0.8, 0.85, 0.9]
    table = cells_of([of_patients(dice)]).table
    expected = t.ppf(0.975, 3) * np.std(dice, ddof=1) / 2
    assert table["half_width"].to_numpy() == pytest.approx(expected)
    assert table["dice"].to_numpy() == pytest.approx(np.mean(dice))


def test_cells_are_means_over_seeds_and_those_of_each() -> None:
    runs = [run_result(NAIVE), run_result(np.array(NAIVE) + 0.02, spec={"seed": 1})]
    table = cells_of(runs).table
    cell = table[(table["stage"] == 2) & (table["scanner"] == "Scanner A")].set_index("seed")
    assert cell["dice"].to_dict() == pytest.approx({"": 0.61, "0": 0.6, "1": 0.62})
    assert cell.loc["", ["low", "high"]].tolist() == pytest.approx([0.6, 0.62])
    assert cell["half_width"].isna().all(), "one patient"
    learned = table[(table["seed"] == "") & table["learned"]]
    assert learned["dice"].tolist() == pytest.approx([0.91, 0.81])


def test_cases_are_those_of_the_table() -> None:
    found = case_scores_of([of_patients([0.7, 0.8])])
    assert found.names == {"Scanner A": ["p@a-0", "p@a-1"], "Scanner B": ["p@b-0", "p@b-1"]}


def test_cases_are_in_thousandths_by_stage_scanner_and_class() -> None:
    (run,) = case_scores_of([run_result(NAIVE)]).runs
    assert run["dice"] == [[[[100]], [[200]]], [[[900]], [[500]]], [[[600]], [[800]]]]


def test_what_does_not_fit_is_left_out_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_module, "MAX_VALUES", 0)
    runs = [run_result(NAIVE, spec={"seed": seed}) for seed in range(3)]
    found = case_scores_of(runs)
    assert len(found.runs) == 1
    assert found.notices[0].startswith("Scores of cases of 1 of 3 runs are on this page")
    assert left_out("Dice", 3, 3, "nowhere") == []


def test_every_network_and_strategy_comes_before_second_seeds() -> None:
    def named(model: str, seed: int) -> RunResult:
        return run_result(NAIVE, model=model, spec={"seed": seed})

    runs = [named(model, seed) for model in ("VNet", "UNet") for seed in range(2)]
    order = [(run.network, run.seed) for run in widest_first(runs)]
    assert order == [("VNet", 0), ("UNet", 0), ("VNet", 1), ("UNet", 1)]


def with_pictures(**more: np.ndarray) -> RunResult:
    record = run_record(NAIVE)
    examples = examples_of(record.spec.order) | more
    return RunResult(record, InMemoryTables(cases_of(record), examples=examples))


def test_a_slice_is_shown_once_with_all_its_stages() -> None:
    slices = slices_of(with_pictures(), ["a", "b"])
    assert [(one.scanner, one.what, sorted(one.predictions)) for one in slices] == [
        ("a", "typical", [1, 2]),
        ("b", "typical", [1, 2]),
    ]


def test_what_was_forgotten_is_the_dice_since_learning() -> None:
    square = examples_of("a")["a/truth"]
    half = np.where(np.arange(16) < 8, square, 0).astype(np.uint8)
    more = {"a/last": half, "a/ranked/last": np.zeros((0, 3, 1, 1))}
    shown = pictures_of([with_pictures(**more)])
    a = next(one for one in shown.shown if shown.images[one["image"]]["scanner"] == "Scanner A")
    assert [(stage, dice) for stage, dice, _ in a["stages"]] == [(1, 1.0), (2, 0.667)]
    assert a["lost"] == pytest.approx(0.333)


def test_all_stages_that_a_run_kept_are_there() -> None:
    square = examples_of("b")["b/truth"]
    more = {"b/stages": np.array([1, 2]), "b/predictions": np.stack([0 * square, square])}
    one = next(s for s in slices_of(with_pictures(**more), ["b"]) if s.what == "typical")
    assert not one.predictions[1].any() and one.predictions[2].any()


def test_pictures_stop_where_the_page_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_module, "MAX_BYTES", 0)
    found = pictures_of([with_pictures(), with_pictures()])
    assert found.notices == [
        "Pictures of 1 of 2 runs are on this page, to keep it small; "
        "the folders of the runs have all."
    ]


def drawn(path: str, side: int) -> np.ndarray:
    """The pixels whose centres lie inside the lines of a path, by the even-odd rule."""
    inside = np.zeros((side, side), bool)
    for part in filter(None, path.split("M")):
        start, steps = part.rstrip("z").split("l")
        moves = [[int(n) for n in start.split()]]
        numbers = [int(n) for n in steps.split()]
        moves += [list(pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)]
        x, y = np.cumsum(moves, axis=0).T / 2 - 0.5
        rows, columns = polygon(y, x, (side, side))
        inside[rows, columns] ^= True
    return inside


def test_contours_enclose_the_pixels_of_a_class() -> None:
    labels = np.zeros((16, 16), np.uint8)
    labels[0:9, 3:12] = 1
    labels[3:6, 5:8] = 0
    labels[12:15, 10:16] = 2
    for label, path in enumerate(contours(labels, 3), start=1):
        assert (drawn(path, 16) == (labels == label)).mean() > 0.97
    assert contours(labels, 3)[2] == ""


def test_unknown_truth_is_not_scored() -> None:
    truth = np.array([[1, 255], [0, 0]], np.uint8)
    assert slice_score(np.array([[1, 1], [0, 0]], np.uint8), truth, 1) == 1


def test_names_cannot_end_the_data_or_be_read_as_html() -> None:
    names = {"a": "</script><b>", "b": "B"}
    data = explorer_data(ReportData([run_result(NAIVE, scanner_names=names)]))
    text = script(data)
    assert "<b>" not in text and "\\u003cb>" in text
    start = text.index(">") + 1
    assert json.loads(text[start : text.index("</script>")]) == json.loads(json.dumps(data))
    assert "fetch(" not in text.rpartition("<script>")[2]

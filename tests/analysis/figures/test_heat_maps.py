"""What is in the cells of heat maps, and the room they have."""

from pathlib import Path

import pytest

from cl_seg.analysis.figures.drop_maps import joint_differences
from cl_seg.analysis.figures.heat_maps import heat_maps
from cl_seg.analysis.figures.style import as_svg
from cl_seg.records.load import load_results
from tests.records.factory import NAIVE, write_run

LONG = {"a": "Siemens SOMATOM Definition AS+", "b": "GE Discovery CT750 HD, STANDARD"}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    write_run(tmp_path, "Naive", NAIVE)
    write_run(tmp_path, "Joint", [[0.1, 0.2], [0.9, 0.9]])
    return tmp_path


def texts(figure: object) -> list[list[str]]:
    return [[text.get_text() for text in axes.texts] for axes in figure.axes]  # type: ignore[attr-defined]


def test_long_names_leave_cells_their_room(tmp_path: Path) -> None:
    write_run(tmp_path, "Naive", NAIVE, scanner_names=LONG)
    (tmp_path / "short").mkdir()
    write_run(tmp_path / "short", "Naive", NAIVE)
    sizes = []
    for folder in (tmp_path, tmp_path / "short"):
        figure = heat_maps(load_results(folder))
        (axes,) = figure.axes
        sizes.append(axes.get_window_extent().size / figure.dpi)
    assert (sizes[0] > 0.9 * sizes[1]).all()
    figure = heat_maps(load_results(tmp_path))
    labels = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert labels == ["Siemens SOMATOM\nDefinition AS+", "GE Discovery\nCT750 HD"]


def test_what_a_strategy_lacks_to_joint_training_is_in_dice_points(results: Path) -> None:
    figure = joint_differences(load_results(results))
    assert texts(figure) == [["30.0", "10.0"]]
    assert "<svg" in as_svg(figure)


def test_networks_of_one_strategy_are_beside_each_other(tmp_path: Path) -> None:
    for i, model in enumerate("ABCD"):
        of = {"model": model, "strategy": "Naive", "place": [i, 0, 0, 0]}
        write_run(tmp_path, f"{model}-naive", NAIVE, **of)
    figure = heat_maps(load_results(tmp_path))
    tops = {round(axes.get_position().y1, 3) for axes in figure.axes}
    assert len(figure.axes) == 4 and len(tops) == 1


def test_what_was_just_learned_is_framed(results: Path) -> None:
    joint, naive = sorted(heat_maps(load_results(results)).axes, key=lambda a: len(a.patches))
    assert not joint.patches
    assert [patch.get_xy() for patch in naive.patches] == [(-0.5, 0.5), (0.5, 1.5)]

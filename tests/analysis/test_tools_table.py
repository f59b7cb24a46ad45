"""Tables of tools and of areas say where areas are incomplete."""

import pandas as pd
import pytest

from cl_seg.analysis.areas import agreement_table, shown_agreement
from cl_seg.analysis.tools_table import SCORES, shown_tools

CASE = dict.fromkeys(SCORES, 1.0) | {"tool": "Polygon", "class": "muscle", "true": 9}


def tool(scanner: str, cut: bool | None) -> dict[str, object]:
    return {**CASE, "scanner": scanner, **({} if cut is None else {"body_cut": cut})}


@pytest.mark.parametrize(
    ("cut", "told"),
    [((True, False), ["1 of 2"]), ((False, False), None), ((None, None), None)],
)
def test_tools_tell_of_incomplete_areas(cut, told):
    table = shown_tools(pd.DataFrame([tool("a", cut[0]), tool("b", cut[1])]))
    assert (list(table["incomplete areas"]) if told else None) == told
    assert told or "incomplete areas" not in table


@pytest.mark.parametrize(("cut", "told"), [((True, False), ["1 of 2"]), ((False, False), None)])
def test_agreement_tells_of_incomplete_areas(cut, told):
    row = {"model": "VNet", "strategy": "naive", "seed": 0, "order": "a", "scanner": "a"}
    areas = pd.DataFrame([
        {**row, "class": "muscle", "true_cm2": 100.0 + i, "found_cm2": 99.0, "body_cut": one}
        for i, one in enumerate(cut)
    ])  # fmt: skip
    shown = shown_agreement(agreement_table(areas), "muscle")
    assert (list(shown["incomplete"]) if told else None) == told
    assert told or "incomplete" not in shown

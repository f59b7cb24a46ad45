import numpy as np
import pandas as pd

from cl_seg.records.matrices import accuracy_matrices


def row(stage: int, scanner: str, name: str, dice: float, true: int = 10) -> dict:
    return {"stage": stage, "scanner": scanner, "class": name, "dice": dice, "true": true}


def test_r_is_the_mean_over_cases_with_the_class_and_classes_are_averaged_last() -> None:
    cases = pd.DataFrame(
        [
            row(0, "b", "muscle", 0.0),
            row(0, "b", "liver", 0.2),
            row(1, "b", "muscle", 0.6),
            row(1, "b", "muscle", 0.8),
            row(1, "b", "liver", 0.0, true=0),
            row(1, "b", "liver", 0.5),
            row(0, "a", "muscle", 0.1),
            row(0, "a", "liver", 0.3),
            row(1, "a", "muscle", 0.9),
            row(1, "a", "liver", 0.7),
        ]
    )
    r = accuracy_matrices(cases, ["b", "a"], ["muscle", "liver"])
    np.testing.assert_allclose(r["muscle"], [[0.0, 0.1], [0.7, 0.9]])
    np.testing.assert_allclose(r["liver"], [[0.2, 0.3], [0.5, 0.7]])
    np.testing.assert_allclose(r["mean"], [[0.1, 0.2], [0.6, 0.8]])


def test_a_class_no_case_has_is_nan_not_zero() -> None:
    cases = pd.DataFrame([row(0, "a", "muscle", 1.0), row(0, "a", "liver", 0.0, true=0)])
    r = accuracy_matrices(cases, ["a"], ["muscle", "liver"])
    assert np.isnan(r["liver"]).all() and np.isnan(r["mean"]).all()
    assert r["muscle"][0, 0] == 1.0


def test_what_was_not_tested_is_nan_and_stages_keep_their_rows() -> None:
    cases = pd.DataFrame(
        [row(i, s, c, 0.5) for i, s in ((1, "a"), (2, "a"), (2, "b")) for c in ("muscle", "liver")]
    )
    r = accuracy_matrices(cases, ["a", "b"], ["muscle", "liver"])
    for name in ("muscle", "liver", "mean"):
        np.testing.assert_equal(r[name], [[np.nan, np.nan], [0.5, np.nan], [0.5, 0.5]])

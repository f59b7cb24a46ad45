"""No patient in two parts, every scanner with something to train and to test on."""

from itertools import groupby

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cl_seg.messages.errors import InputError
from cl_seg.scans.splits import (
    BLOCK,
    SPLIT_PARTS,
    Fractions,
    check_parts,
    split_by_patient,
    split_with_shared_test,
    split_within_case,
    usable_slices,
)

QUARTER = Fractions(test=0.25, validation=0.1)
fractions = st.builds(Fractions, test=st.floats(0.05, 0.6), validation=st.floats(0.05, 0.35))


def table(patients_of, slices=2):
    """A row per slice of every (scanner, patient)."""
    return pd.DataFrame(
        [
            {"scanner": s, "patient": p, "case": f"{p}-{s}", "z_mm": 5.0 * z}
            for s, patients in patients_of.items()
            for p in patients
            for z in range(slices)
        ]
    )


stores = st.dictionaries(
    st.sampled_from("ABCD"),
    st.sets(st.integers(0, 12), min_size=2, max_size=8).map(lambda s: [f"p{i}" for i in s]),
    min_size=1,
).map(table)


def split(slices, shares, seed):
    """Split by patient; a store that cannot be split is no example."""
    result = split_by_patient(slices, shares, seed)
    try:
        check_parts(result, pd.unique(slices["scanner"]))
    except InputError:
        assume(False)
    return result


def patients(slices, **chosen):
    for column, value in chosen.items():
        slices = slices[slices[column] == value]
    return set(slices["patient"])


@given(stores, fractions, st.integers(0, 99))
def test_no_patient_in_two_parts(slices, shares, seed):
    result = split(slices, shares, seed)
    assert (result.groupby("patient")["part"].nunique() == 1).all()
    assert set(result["part"]) <= set(SPLIT_PARTS)
    pd.testing.assert_frame_equal(result.drop(columns="part"), slices)


@given(stores, fractions, st.integers(0, 99))
def test_every_scanner_trains_and_tests_or_the_split_is_refused(slices, shares, seed):
    result = split_by_patient(slices, shares, seed)
    try:
        check_parts(result, pd.unique(slices["scanner"]))
    except InputError:
        # Scanners of two patients each, all shared, can make it impossible; four make it easy.
        assert slices.groupby("scanner")["patient"].nunique().min() < 4
        return
    for scanner in pd.unique(slices["scanner"]):
        assert patients(result, scanner=scanner, part="train"), "nothing to train on"
        assert patients(result, scanner=scanner, part="test"), "nothing to test on"


def test_a_small_scanner_whose_patients_are_all_shared_keeps_one_for_training():
    slices = table({"A": [f"p{i}" for i in range(8)], "B": ["p0", "p1"]})
    result = split_by_patient(slices, QUARTER, seed=0)
    assert patients(result, scanner="B", part="train")


@given(stores, fractions, st.integers(0, 99), st.integers(0, 99))
def test_same_draw_whatever_the_order_of_rows(slices, shares, seed, shuffle):
    first = split(slices, shares, seed)
    pd.testing.assert_frame_equal(first, split(slices, shares, seed))
    shuffled = slices.groupby("scanner", sort=False).sample(frac=1, random_state=shuffle)
    again = split(shuffled, shares, seed)
    pd.testing.assert_frame_equal(first, again.sort_index())


def test_seed_matters():
    slices = table({"A": [f"p{i}" for i in range(30)]})
    draws = {frozenset(patients(split_by_patient(slices, QUARTER, s), part="test"))
             for s in range(5)}  # fmt: skip
    assert len(draws) == 5


def test_shares_of_a_single_scanner():
    slices = table({"A": [f"p{i}" for i in range(20)]})
    result = split_by_patient(slices, QUARTER, seed=3)
    sizes = {part: len(patients(result, part=part)) for part in SPLIT_PARTS}
    assert sizes == {"train": 13, "validation": 2, "test": 5}


def test_paired_patients_are_tested_first():
    shared = ["s0", "s1"]
    slices = table({k: [f"{k}{i}" for i in range(6)] + shared for k in "ABC"})
    for seed in range(5):
        result = split_by_patient(slices, QUARTER, seed)
        for scanner in "ABC":
            assert patients(result, scanner=scanner, part="test") == set(shared)


def test_few_patients():
    two = split_by_patient(table({"A": ["x", "y"]}), QUARTER, 0)
    assert sorted(two.groupby("patient")["part"].first()) == ["test", "train"]
    three = split_by_patient(table({"A": ["x", "y", "z"]}), QUARTER, 0)
    assert sorted(three.groupby("patient")["part"].first()) == ["test", "train", "validation"]


def test_single_patient_is_refused():
    result = split_by_patient(table({"A": ["x", "y", "z"], "B": ["x"]}), QUARTER, 0)
    check_parts(result, ["A"])
    with pytest.raises(InputError, match="scanner B has 1 patient ") as caught:
        check_parts(result, ["A", "B"])
    assert "\n" not in str(caught.value) and "within_case" in str(caught.value)


@given(st.integers(3, 45), fractions, st.integers(0, 99))
def test_within_case_cuts_contiguous_blocks_along_the_body(count, shares, seed):
    slices = table({"A": ["x", "y"]}, slices=count)
    slices = slices.iloc[np.random.default_rng(seed).permutation(len(slices))]
    result = split_within_case(slices, shares)
    pd.testing.assert_frame_equal(result.drop(columns="part"), slices)
    for _, case in result.groupby("case"):
        runs = [part for part, _ in groupby(case.sort_values("z_mm")["part"])]
        assert runs == list(SPLIT_PARTS) * max(1, count // BLOCK)


def test_within_case_needs_three_slices():
    with pytest.raises(InputError, match="case x-A has 2 labelled slices"):
        split_within_case(table({"A": ["x"]}, slices=2), QUARTER)
    with pytest.raises(
        InputError, match="case x-A has 1 labelled slice, a split within cases needs three"
    ):
        split_within_case(table({"A": ["x"]}, slices=1), QUARTER)


def test_slices_not_labelled_for_the_task_take_no_part():
    slices = pd.DataFrame({"labelled": ["muscle,liver", "liver", "", "liver,muscle,spleen"]})
    assert usable_slices(slices, ["muscle", "liver"]).index.tolist() == [0, 3]
    assert usable_slices(slices, ["liver"]).index.tolist() == [0, 1, 3]
    assert usable_slices(slices, ["live"]).empty
    assert usable_slices(slices.iloc[:0], ["liver"]).empty


@given(st.integers(1, 4), st.integers(2, 30), st.floats(0.05, 0.9), st.integers(0, 99))
def test_shared_patients_test_and_only_they(shared, own, validation, seed):
    every = [f"shared{i}" for i in range(shared)]
    scans = {s: [*(f"{s}{i}" for i in range(own)), *every] for s in "ABC"}
    parts = split_with_shared_test(table(scans), validation, seed)
    assert patients(parts, part="test") == set(every)
    for scanner in "ABC":
        train, validate = (patients(parts, part=p, scanner=scanner) for p in SPLIT_PARTS[:2])
        assert train and len(train | validate) == own
        wanted = max(1, round(validation * own)) if own > 2 else 0
        assert len(validate) == min(wanted, own - 1)
    check_parts(parts, list("ABC"))


@given(st.integers(0, 99))
def test_more_scanners_leave_the_parts_of_those_there_are(seed):
    def parts_of(scanners):
        scans = {s: [*(f"{s}{i}" for i in range(9)), "shared0", "shared1"] for s in scanners}
        parts = split_with_shared_test(table(scans), 0.3, seed)
        return parts[parts["scanner"].isin(list("AB"))].reset_index(drop=True)

    pd.testing.assert_frame_equal(parts_of("AB"), parts_of("ABCDE"))


def test_who_was_seen_on_some_scanners_alone_is_in_one_part():
    scans = {"A": ["x", "y", "z", "both"], "B": ["x", "u", "v"], "C": ["x", "w", "both"]}
    for seed in range(20):
        parts = split_with_shared_test(table(scans), 0.4, seed)
        assert (parts.groupby("patient")["part"].nunique() == 1).all()
        assert patients(parts, part="test") == {"x"}
    drawn = [
        patients(split_with_shared_test(table(scans), 0.4, s), part="validation") for s in range(9)
    ]
    assert len(set(map(frozenset, drawn))) > 1, "the seed counts"


def test_a_store_without_shared_patients_says_so():
    with pytest.raises(InputError, match="no patient was seen on every scanner"):
        split_with_shared_test(table({"A": ["x", "y"], "B": ["u", "y"], "C": ["x", "v"]}), 0.1, 0)

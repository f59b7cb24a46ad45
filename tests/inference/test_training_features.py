"""Features of training scanners: measured, written, read, and refused."""

from pathlib import Path
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pytest

from cl_seg.inference.training_features import (
    FEATURES,
    TrainingFeatures,
    measure_training_features,
    read_training_features,
    series_features,
)
from cl_seg.messages.errors import InputError
from tests.conftest import SLICES, tiny_network


@pytest.fixture
def measured(images: Any, parts: Any) -> TrainingFeatures:
    def of(scanner: str, train: bool) -> Any:
        return parts[(parts["scanner"] == scanner) & ((parts["part"] == "train") == train)]

    scanners = ("alpha", "gamma")
    return measure_training_features(
        tiny_network(), images, {s: (of(s, True), of(s, False)) for s in scanners}
    )


def test_means_and_covariance_are_of_series_around_their_scanner(
    measured: TrainingFeatures, images: Any, parts: Any
) -> None:
    rows = parts[(parts["scanner"] == "alpha") & (parts["part"] == "train")]
    own = series_features(tiny_network(), images, rows, measured.layer)
    assert len(own) == rows["series"].nunique() and len(rows) > len(own) * (SLICES - 1)
    assert measured.names == ["Alpha", "Gamma"]
    np.testing.assert_allclose(measured.means[0], own.mean(axis=0))
    assert np.linalg.eigvalsh(measured.covariance).min() > 0
    assert [len(held_out) for held_out in measured.held_out] == [
        parts[(parts["scanner"] == s) & (parts["part"] != "train")]["series"].nunique()
        for s in ("alpha", "gamma")
    ]


def test_the_file_gives_the_same_numbers_and_names_nobody(
    measured: TrainingFeatures, parts: Any, tmp_path: Path
) -> None:
    content = measured.to_bytes("abc")
    (tmp_path / FEATURES).write_bytes(content)
    read = read_training_features(tmp_path, "abc")
    assert read is not None and (read.layer, read.names) == (measured.layer, measured.names)
    np.testing.assert_array_equal(read.covariance, measured.covariance)
    for mine, other in zip(read.held_out, measured.held_out, strict=True):
        np.testing.assert_array_equal(mine, other)
    for column in ("patient", "case", "series", "slice_id"):
        assert not any(name.encode() in content for name in parts[column])


def test_files_that_are_missing_damaged_or_of_another_model(
    measured: TrainingFeatures, tmp_path: Path
) -> None:
    assert read_training_features(tmp_path, "abc") is None
    (tmp_path / FEATURES).write_bytes(measured.to_bytes("abc"))
    with pytest.raises(InputError, match="of other weights"):
        read_training_features(tmp_path, "def")
    (tmp_path / FEATURES).write_bytes(measured.to_bytes("abc")[:-8])
    with pytest.raises(InputError, match="is damaged"):
        read_training_features(tmp_path, "abc")


def test_one_series_per_scanner_has_no_covariance(images: Any, parts: Any) -> None:
    one = parts[parts["series"] == parts["series"].iloc[0]]
    with pytest.raises(InputError, match="two different training series"):
        measure_training_features(tiny_network(), images, {"alpha": (one, one)})

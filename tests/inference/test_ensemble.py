"""What models that predict together were not made for."""

from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest

from cl_seg.inference.ensemble import Ensemble, load_ensemble
from cl_seg.messages.errors import InputError
from cl_seg.records.model_card import About

from .test_saved_model import CONTENT
from .test_series import model_folder


def test_models_of_different_tasks_do_not_mix(tmp_path: Path) -> None:
    first = model_folder(tmp_path / "one")
    second = model_folder(tmp_path / "two", classes=["liver", "muscle"])
    with pytest.raises(InputError, match="only models of the same task"):
        load_ensemble([first, second])


def test_levels_and_simulated_training_are_limits() -> None:
    torso = CONTENT.model_copy(update={"about": About(levels="T9 to S1")})
    real = CONTENT.model_copy(update={"simulated": False})
    assert Ensemble([], [real]).limits(simulated=False) == []
    assert Ensemble([], [CONTENT, real]).limits(simulated=False) == []
    assert Ensemble([], [CONTENT]).limits(simulated=True) == []
    (seen,) = Ensemble([], [CONTENT]).limits(simulated=False)
    assert "has seen simulated CT only" in seen
    found = Ensemble([], [torso, torso]).limits(simulated=True)
    assert found == ["the model was made for T9 to S1: check masks elsewhere"]

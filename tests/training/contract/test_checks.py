"""The contract tells plugins that do what they say from those that do not."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from avalanche.training.plugins import EWCPlugin, LwFPlugin, SupervisedPlugin

from cl_seg.messages.errors import InputError
from cl_seg.strategies.l2.plugin import L2
from cl_seg.training.contract.run_checks import check_contract
from cl_seg.training.contract.strategy_under_test import StrategyUnderTest

from ...conftest import tiny_network


def model():
    torch.manual_seed(0)
    return tiny_network()


def broken(make_plugin, first_active_experience=2, keeps_state=False):
    results = check_contract(
        StrategyUnderTest(make_plugin, model, 32, first_active_experience, keeps_state)
    )
    return {r.check: r.detail for r in results if r.status == "failed"}


def test_a_strategy_that_keeps_it():
    results = check_contract(StrategyUnderTest(L2, model, 32, 2, False))
    assert len(results) == 8 and all(r.status == "passed" for r in results)


def test_a_silent_no_op():
    found = broken(SupervisedPlugin)
    assert list(found) == ["acts"] and "bit for bit" in found["acts"]


def test_a_crash_ends_it():
    assert list(broken(LwFPlugin)) == ["runs"]


class Early(SupervisedPlugin):
    def before_backward(self, strategy, **kwargs):
        strategy.loss = strategy.loss * 2


def test_acting_too_early():
    assert "experience 1" in broken(Early)["acts not too early"]
    assert "acts not too early" not in broken(Early, first_active_experience=1)


class Forgetful(SupervisedPlugin):
    """Counts its steps, which change the loss, and does not keep the count."""

    def __init__(self):
        super().__init__()
        self.steps = 0

    def before_backward(self, strategy, **kwargs):
        self.steps += 1
        if strategy.clock.train_exp_counter:
            strategy.loss = strategy.loss * (1 + self.steps)

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


def test_a_state_that_is_not_kept():
    assert "taken up" in broken(Forgetful, keeps_state=True)["keeps its state"]


class Scribbling(SupervisedPlugin):
    def before_training_exp(self, strategy, **kwargs):
        strategy.experience.dataset[0][0][:] = 0.3


class Nan(SupervisedPlugin):
    def after_update(self, strategy, **kwargs):
        if bool((strategy.mb_y == 255).any()):
            next(strategy.model.parameters()).data.fill_(float("nan"))


def test_changed_data_and_ignored_pixels():
    assert "images" in broken(Scribbling)["changes nothing else"]
    assert set(broken(Nan)) == {"acts", "ignored pixels"}


@pytest.mark.parametrize("strength", [0.0, 100.0])
def test_avalanches_ewc_acts_by_its_strength(strength):
    found = broken(lambda: EWCPlugin(strength))
    assert ("acts" in found) == (strength == 0)


def test_a_part_that_is_switched_off_makes_no_difference():
    def make():
        return L2()

    results = check_contract(StrategyUnderTest(make, model, 32, 2, False, make_baseline=make))
    assert [r.check for r in results if r.status == "failed"] == ["acts"]


class SilentScores(L2):
    def prepare_scoring(self, model, experience, images):
        pass


def test_a_part_in_scoring_that_does_nothing():
    strategy = StrategyUnderTest(SilentScores, model, 32, 2, False, changes_scoring=True)
    assert [r.check for r in check_contract(strategy) if r.status == "failed"] == ["scores"]


class Refusing(SupervisedPlugin):
    """Runs as long as it sees the whole stream, and refuses to be taken up from files."""

    def before_training_exp(self, strategy, **kwargs):
        if strategy.clock.train_exp_counter and not self.seen:
            raise InputError("not from files")
        self.seen = True

    seen = False

    def before_backward(self, strategy, **kwargs):
        if strategy.clock.train_exp_counter:
            strategy.loss = strategy.loss * 2

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


def test_what_ran_must_not_refuse_later():
    assert "refused: not from files" in broken(Refusing, keeps_state=True)["keeps its state"]


class HalfKept(Forgetful):
    """Begins to count anew with each experience: the count is lost within one alone."""

    def before_training_exp(self, strategy, **kwargs):
        self.steps = 0


def test_a_state_that_is_not_kept_within_an_experience():
    assert "within" in broken(HalfKept, keeps_state=True)["keeps its state"]

"""The network of the first experience stays for ever."""

import copy

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch

from cl_seg.strategies.never_update.plugin import NeverUpdate

from ..records.factory import run_result
from ..training.conftest import Seen, make_loop, tagged_benchmark
from .conftest import flat, train_on_digits


def test_nothing_of_the_network_changes_after_the_first_experience():
    seen = Seen()
    loop = make_loop(plugins=[NeverUpdate(), seen], steps=3)
    states = []
    for experience in tagged_benchmark([5, 5, 5]).train_stream:
        loop.train(experience, eval_streams=[])
        states.append(copy.deepcopy(loop.model.state_dict()))
        assert loop.step == (3 if len(states) == 1 else 0)
    assert list(seen.batches) == [0] and len(seen.batches[0]) == 3
    for later in states[1:]:
        assert all(torch.equal(later[name], states[0][name]) for name in later)


def test_in_avalanches_own_loop_too():
    never = train_on_digits([NeverUpdate()], 3)
    assert torch.equal(flat(never), flat(train_on_digits([], 1)))


def test_a_scanner_it_is_not_trained_on_is_not_one_that_it_failed_to_learn():
    r = [[0.1, 0.2], [0.9, 0.5], [0.9, 0.5]]
    rows = [{"position": k, "selection": s, "steps": n, "train_seconds": 0.0}
            for k, (s, n) in enumerate([("a", 5), ("b", 0)], start=1)]  # fmt: skip
    assert run_result(r, stages=rows).unlearned() == []
    rows[1]["steps"] = 5
    assert run_result(r, stages=rows).unlearned() == [("b", "liver", 0.5)]

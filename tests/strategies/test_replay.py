"""Replay's memory and batches, in plain Avalanche."""

import json
from itertools import pairwise
from types import SimpleNamespace

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from avalanche.training import Naive
from avalanche.training.plugins import SupervisedPlugin
from avalanche.training.storage_policy import ExperienceBalancedBuffer
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.strategies.replay.plugin import Replay

from .conftest import digits_benchmark, plain_benchmark

COUNT = 21


class Recorder(SupervisedPlugin):
    """Keeps the (experience, index) of every item of every batch, by experience."""

    def __init__(self):
        super().__init__()
        self.batches = {}

    def before_training_iteration(self, strategy, **kwargs):
        here = self.batches.setdefault(strategy.experience.current_experience, [])
        here.append([tuple(int(v) for v in row) for row in strategy.mb_x])


def tagged_benchmark(experiences, count=COUNT):
    """Inputs that say which experience and which item they are."""
    return plain_benchmark(
        [
            (
                torch.stack([torch.full((count,), float(k)), torch.arange(float(count))], 1),
                torch.arange(count) % 2,
            )
            for k in range(experiences)
        ]
    )


def train(plugin, experiences=3, batch=8, epochs=1, count=COUNT, noise=0):
    """Batches and memories of a stream; ``noise`` seeds what must not matter."""
    torch.manual_seed(noise)
    model = nn.Linear(2, 2)
    recorder, memories = Recorder(), []
    strategy = Naive(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=1e-3),
        train_mb_size=batch,
        train_epochs=epochs,
        plugins=[plugin, recorder],
        evaluator=None,
    )
    for experience in tagged_benchmark(experiences, count).train_stream:
        strategy.train(experience)
        memories.append({k: list(v) for k, v in plugin.memory.items()})
    return recorder.batches, memories


def test_by_patient_needs_patients():
    with pytest.raises(InputError, match="knows its patients"):
        train(Replay(budget=4, by="patient"), experiences=1)


@pytest.mark.parametrize("budget", [3, 10, 16])
def test_as_much_is_kept_as_by_avalanche(budget):
    _, memories = train(Replay(budget=budget), experiences=4)
    theirs = ExperienceBalancedBuffer(budget, adaptive_size=True)
    for k, experience in enumerate(tagged_benchmark(4).train_stream):
        theirs.post_adapt(None, experience)
        kept = sum(len(v) for v in memories[k].values())
        assert abs(kept - len(theirs.buffer)) <= k  # theirs leaves the rest of a division unused


def test_memory_is_shared_equally_and_only_shrinks():
    _, memories = train(Replay(budget=10))
    assert [[len(m[k]) for k in sorted(m)] for m in memories] == [[10], [5, 5], [4, 3, 3]]
    for before, after in pairwise(memories):
        assert all(after[k] == before[k][: len(after[k])] for k in before)
    assert all(
        len(set(v)) == len(v) and set(v) <= set(range(COUNT)) for m in memories for v in m.values()
    )


def test_budget_below_the_number_of_experiences():
    _, memories = train(Replay(budget=1))
    assert [sum(map(len, m.values())) for m in memories] == [1, 1, 1]


def test_budget_above_what_there_is():
    _, memories = train(Replay(budget=100))
    assert [len(m[0]) for m in memories] == [COUNT, COUNT, COUNT]


def test_memory_is_a_uniform_sample():
    counts = torch.zeros(COUNT)
    experience = SimpleNamespace(current_experience=0, dataset=range(COUNT))
    for seed in range(400):
        plugin = Replay(budget=3, seed=seed)
        plugin.after_training_exp(SimpleNamespace(experience=experience))
        assert len(set(plugin.memory[0])) == 3
        counts[plugin.memory[0]] += 1
    assert (counts - 400 * 3 / COUNT).abs().max() < 5 * (400 * 3 / COUNT) ** 0.5


def test_half_of_each_batch_is_remembered():
    plugin = Replay(budget=10)
    batches, memories = train(plugin, epochs=2)
    assert {k for batch in batches[0] for k, _ in batch} == {0}
    for current in (1, 2):
        stored = {(k, i) for k, v in memories[current - 1].items() for i in v}
        assert len(batches[current]) == 2 * 6  # 21 new slices, four per batch
        for batch in batches[current]:
            new, old = batch[:4], batch[4:]
            assert len(batch) == 8 and {k for k, _ in new} == {current}
            assert set(old) <= stored
        seen = [item for batch in batches[current][:6] for item in batch[:4]]
        assert {i for _, i in seen} == set(range(COUNT))
        assert {item for batch in batches[current] for item in batch[4:]} == stored


def test_never_its_own_experience():
    batches, memories = train(Replay(budget=6))
    for current, recorded in batches.items():
        assert all(k < current for batch in recorded for k, _ in batch[4:]) or current == 0
        assert current not in (memories[current - 1] if current else {})


def test_memory_smaller_than_its_part_is_drawn_with_repetition():
    batches, memories = train(Replay(budget=1), experiences=2)
    ((k, (index,)),) = memories[0].items()
    assert all(batch[4:] == [(k, index)] * 4 for batch in batches[1])


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5, 0.75, 0.99])
@pytest.mark.parametrize("batch", [2, 5, 8])
def test_old_and_new_fill_one_batch(share, batch):
    plugin = Replay(budget=4, batch_share=share)
    batches, _ = train(plugin, experiences=2, batch=batch)
    for recorded in batches[1]:
        old = sum(k == 0 for k, _ in recorded)
        assert len(recorded) == batch
        assert 1 <= old < batch and abs(old - share * batch) <= 1


def test_added_slices_leave_a_whole_batch_of_new_ones():
    shared, memories = train(Replay(budget=10))
    added, others = train(Replay(budget=10, batch="added", batch_share=0.25))
    assert others == memories and added[0] == shared[0]
    for current in (1, 2):
        stored = {(k, i) for k, v in memories[current - 1].items() for i in v}
        assert len(added[current]) == 3  # 21 new slices, eight per batch
        for batch in added[current]:
            new, old = batch[:8], batch[8:]
            assert {k for k, _ in new} == {current} and len(old) == 3 and set(old) <= stored
        assert {i for batch in added[current] for _, i in batch[:8]} == set(range(COUNT))


def test_determined_by_its_seed_alone():
    results = [train(Replay(budget=8, seed=s), noise=n) for s, n in [(1, 0), (1, 9)]]
    assert results[0][1] == results[1][1]
    for current in (1, 2):
        # in plain Avalanche only the first experience is shuffled by the global generator
        assert results[0][0][current] == results[1][0][current]
    other = train(Replay(budget=8, seed=2))
    assert other[1] != results[0][1] and other[0][1] != results[0][0][1]


def test_experiences_and_purposes_draw_differently():
    plugin = Replay(seed=3)
    draws = [
        torch.randint(2**40, (1,), generator=plugin._generator(k, p)).item()
        for k in range(30)
        for p in (0, 1)
    ]
    assert len(set(draws)) == 60


def test_every_draw_has_a_generator_of_its_own():
    class Watched(Replay):
        used = ()

        def _generator(self, position, purpose):
            self.used = (*self.used, (position, purpose))
            return super()._generator(position, purpose)

    plugin = Watched(budget=8)
    train(plugin)
    assert sorted(plugin.used) == [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1)]


def test_state_survives_files_and_a_new_process(tmp_path):
    whole, _ = train(Replay(budget=10, seed=5))
    plugin = Replay(budget=10, seed=5)
    train(plugin, experiences=2)
    torch.save(plugin.state_dict(), tmp_path / "replay.pt")
    assert json.loads(json.dumps(plugin.state_dict())) == plugin.state_dict()
    restored = Replay(budget=10, seed=5)
    restored.load_state_dict(torch.load(tmp_path / "replay.pt", weights_only=True))
    assert restored.memory == plugin.memory
    recorder = Recorder()
    model = nn.Linear(2, 2)
    strategy = Naive(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=1e-3),
        train_mb_size=8,
        plugins=[restored, recorder],
        evaluator=None,
    )
    strategy.train(tagged_benchmark(3).train_stream[2])
    assert recorder.batches[2] == whole[2]


def test_state_is_a_copy():
    plugin = Replay(budget=10)
    train(plugin, experiences=1)
    state = plugin.state_dict()
    plugin.memory[0].clear()
    assert len(state["memory"]["0"]) == 10


def test_it_helps():
    """On permuted digits replay keeps the first experience better than training on."""

    def first_accuracy(plugins):
        torch.manual_seed(0)
        benchmark = digits_benchmark(2, count=200)
        model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        strategy = Naive(
            model=model,
            optimizer=torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
            train_mb_size=16,
            train_epochs=10,
            plugins=plugins,
            evaluator=None,
        )
        for experience in benchmark.train_stream:
            strategy.train(experience)
        items = list(benchmark.train_stream[0].dataset)
        x, y = torch.stack([item[0] for item in items]), torch.stack([item[1] for item in items])
        return float((model(x).argmax(1) == y).float().mean())

    assert first_accuracy([Replay(budget=60)]) > first_accuracy([]) + 0.1


def test_a_scanner_that_returns_keeps_one_share():
    parts = [(torch.randn(COUNT, 2), torch.zeros(COUNT, dtype=torch.int64)) for _ in range(2)]
    stream = list(plain_benchmark([*parts, parts[0]]).train_stream)
    stream[2].first_position = 0
    plugin, model = Replay(budget=6), nn.Linear(2, 2)
    loop = Naive(
        model=model, optimizer=torch.optim.SGD(model.parameters(), 0.1), train_mb_size=4,
        plugins=[plugin], evaluator=None,
    )  # fmt: skip
    shares = []
    for experience in stream:
        loop.train(experience)
        shares.append({k: len(indices) for k, indices in plugin.memory.items()})
    assert shares == [{0: 6}, {0: 3, 1: 3}, {0: 3, 1: 3}]
    assert plugin.seen == {0: COUNT, 1: COUNT}

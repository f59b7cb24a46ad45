"""Steps, order, hooks and optimiser of the loop, and that it learns."""

from types import SimpleNamespace

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pandas as pd
import pytest
import torch
from avalanche.training.plugins import EWCPlugin, ReplayPlugin, SupervisedPlugin
from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from cl_seg.benchmark.experiences import dense_benchmark
from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.evaluation.pixel_counts import pixel_counts
from cl_seg.evaluation.predict import predict
from cl_seg.losses import coarser_loss
from cl_seg.messages.errors import InputError
from cl_seg.metrics.segmentation import dice_of_counts
from cl_seg.training.loop import DenseTraining, LoopSettings, NonFiniteLoss

from ..conftest import CLASSES, tiny_network, weights
from ..runtime.test_deep_supervision import TwoScales
from .conftest import Seen, make_loop, tagged_benchmark

HOOKS = [
    name
    for name in dir(SupervisedPlugin)
    if name.startswith(("before_", "after_")) and "eval" not in name
]
STEP = [
    "before_training_iteration", "before_forward", "after_forward", "before_backward",
    "after_backward", "before_update", "after_update", "after_training_iteration",
]  # fmt: skip


class Watch(SupervisedPlugin):
    """Calls ``see(strategy)`` at one hook."""

    def __init__(self, hook, see):
        super().__init__()
        setattr(self, hook, lambda strategy, **kwargs: see(strategy))


class Trace(SupervisedPlugin):
    """Writes down the names of the hooks in the order they are called."""

    def __init__(self):
        super().__init__()
        self.calls = []
        for name in HOOKS:
            setattr(self, name, lambda strategy, name=name, **kwargs: self.calls.append(name))


@pytest.mark.parametrize("count", [1, 3, 8, 17])
@pytest.mark.parametrize("batch", [1, 4, 8])
@pytest.mark.parametrize("steps", [1, 5, 12])
def test_steps_and_batches_are_exact(count, batch, steps):
    seen = Seen()
    loop = make_loop(plugins=[seen], steps=steps, batch_size=batch)
    loop.train(tagged_benchmark([count]).train_stream[0], eval_streams=[])
    assert [len(tags) for tags in seen.batches[0]] == [batch] * steps
    assert loop.step == steps and loop.clock.train_iterations == steps


def test_every_epoch_is_a_new_permutation():
    seen = Seen()
    loop = make_loop(plugins=[seen], steps=9, batch_size=4)
    loop.train(tagged_benchmark([12]).train_stream[0], eval_streams=[])
    flat = [tag for batch in seen.batches[0] for tag in batch]
    epochs = [flat[i : i + 12] for i in (0, 12, 24)]
    assert all(sorted(epoch) == sorted(epochs[0]) and len(set(epoch)) == 12 for epoch in epochs)
    assert epochs[0] != sorted(epochs[0]) and epochs[0] != epochs[1] != epochs[2]


def test_padding_repeats_none_twice_before_all_once():
    seen = Seen()
    loop = make_loop(plugins=[seen], steps=3, batch_size=4)
    loop.train(tagged_benchmark([5]).train_stream[0], eval_streams=[])
    first_epoch = seen.batches[0][0] + seen.batches[0][1]
    assert len(set(first_epoch[:5])) == 5 and len(set(first_epoch[5:])) == 3


def test_hooks_in_order():
    trace = Trace()
    loop = make_loop(plugins=[trace], steps=3, batch_size=2)
    loop.train(tagged_benchmark([4, 2]).train_stream, eval_streams=[])
    begin = [
        "before_train_dataset_adaptation", "after_train_dataset_adaptation", "before_training_exp",
    ]  # fmt: skip

    def epoch(steps):
        return ["before_training_epoch", *STEP * steps, "after_training_epoch"]

    assert trace.calls == [
        "before_training",
        *begin, *epoch(2), *epoch(1), "after_training_exp",
        *begin, *epoch(1), *epoch(1), *epoch(1), "after_training_exp",
        "after_training",
    ]  # fmt: skip


def test_plugins_find_what_avalanche_promises():
    found = {}

    def see(strategy):
        found.update(
            x=strategy.mb_x.shape, y=strategy.mb_y.shape, out=strategy.mb_output.shape,
            loss=strategy.loss.numel(), size=strategy.train_mb_size, training=strategy.is_training,
            exp=strategy.experience.current_experience, device=strategy.device.type,
        )  # fmt: skip

    loop = make_loop(plugins=[Watch("before_backward", see)], steps=1)
    loop.train(tagged_benchmark([4]).train_stream[0], eval_streams=[])
    assert found == {
        "x": (4, 1, 4, 4), "y": (4, 4, 4), "out": (4, 3, 4, 4), "loss": 1, "size": 4,
        "training": True, "exp": 0, "device": "cpu",
    }  # fmt: skip


def test_a_plugin_can_change_loss_and_gradient():
    def freeze(strategy):
        for p in strategy.model.parameters():
            p.grad.zero_()

    model = tiny_network()
    before = [p.detach().clone() for p in model.parameters()]
    loop = make_loop(model, [Watch("after_backward", freeze)], weight_decay=0.0)
    loop.train(tagged_benchmark([4]).train_stream[0], eval_streams=[])
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_a_fresh_optimiser_for_each_experience():
    optimisers, states, rates = [], [], []

    def begin(strategy):
        optimisers.append(strategy.optimizer)
        states.append(len(strategy.optimizer.state))

    def step(strategy):
        rates.append(strategy.optimizer.param_groups[0]["lr"])

    plugins = [Watch("before_training_exp", begin), Watch("before_update", step)]
    loop = make_loop(plugins=plugins, steps=20, learning_rate=0.03, warmup=0.3)
    loop.train(tagged_benchmark([4, 4]).train_stream, eval_streams=[])
    assert optimisers[0] is not optimisers[1] and states == [0, 0]
    assert rates[:20] == rates[20:]

    reference = AdamW([nn.Parameter(torch.ones(1))], lr=0.03)
    schedule, expected = OneCycleLR(reference, 0.03, 20, pct_start=0.3), []
    for _ in range(20):
        expected.append(reference.param_groups[0]["lr"])
        reference.step()
        schedule.step()
    assert rates[:20] == expected
    assert max(rates) == pytest.approx(0.03) and rates[19] < 1e-3 * 0.03 and rates[0] < 0.1 * 0.03


@pytest.mark.parametrize("steps", [2, 3, 4, 5])
def test_few_steps_train(steps):
    rates = []
    watch = Watch("before_update", lambda s: rates.append(s.optimizer.param_groups[0]["lr"]))
    loop = make_loop(plugins=[watch], steps=steps, warmup=0.25)
    loop.train(tagged_benchmark([4]).train_stream[0], eval_streams=[])
    assert len(rates) == steps and max(rates) > 0.4 * 1e-2


def test_warmup_of_exactly_one_step():
    loop = make_loop(steps=10, warmup=0.1)
    loop.train(tagged_benchmark([4]).train_stream[0], eval_streams=[])
    assert loop.step == 10


@pytest.mark.parametrize("clip", [0.0, 1e-3])
def test_gradient_clip(clip):
    norms = []

    def measure(strategy):
        total = torch.cat([p.grad.flatten() for p in strategy.model.parameters()]).norm()
        norms.append(float(total))

    loop = make_loop(plugins=[Watch("before_update", measure)], gradient_clip=clip)
    loop.train(tagged_benchmark([4]).train_stream[0], eval_streams=[])
    if clip:
        assert norms == pytest.approx([clip] * 5, rel=1e-3)
    else:
        assert min(norms) > 1e-3


def test_frozen_parameters_stay():
    model = tiny_network()
    model[0].requires_grad_(False)
    before = model[0].weight.detach().clone()
    loop = make_loop(model, weight_decay=0.1)
    loop.train(tagged_benchmark([4]).train_stream[0], eval_streams=[])
    assert torch.equal(model[0].weight, before)


@pytest.mark.parametrize("kind", ["network", "penalty"])
def test_non_finite_loss_is_refused_before_it_spoils_the_weights(kind):
    def spoil(strategy):
        if strategy.step == 2:
            strategy.loss = strategy.loss * (float("nan") if kind == "network" else float("inf"))

    model = tiny_network()
    loop = make_loop(model, [Watch("before_backward", spoil)], learning_rate=0.25)
    with pytest.raises(NonFiniteLoss) as caught:
        loop.train(tagged_benchmark([4, 4]).train_stream[1], eval_streams=[])
    message = str(caught.value)
    assert isinstance(caught.value, InputError) and "\n" not in message
    for word in ("nan" if kind == "network" else "inf", "step 3", "experience 2", "0.25"):
        assert word in message
    assert all(torch.isfinite(p).all() for p in model.parameters())


def test_a_gpu_is_waited_for_every_fifty_steps_and_no_loss_is_missed():
    loop = SimpleNamespace(
        device=torch.device("cuda"),
        loss_was_finite=torch.tensor(True),
        settings=LoopSettings(steps=60, batch_size=1, learning_rate=0.1),
        experience=SimpleNamespace(current_experience=0),
    )
    loop._refuse_non_finite_loss = lambda step: DenseTraining._refuse_non_finite_loss(loop, step)

    def check(step, loss):
        loop.step, loop.loss = step, torch.tensor(loss)
        DenseTraining._note_finite_loss(loop)

    check(3, float("nan"))
    check(4, 1.0)
    with pytest.raises(NonFiniteLoss, match=r"by step 50 of experience 1 \(now 1.0\)"):
        check(49, 1.0)
    check(50, 1.0)


def test_a_loss_that_was_not_finite_is_refused_at_the_end_too(monkeypatch):
    monkeypatch.setattr(DenseTraining, "_note_finite_loss", lambda loop: None)

    def spoil(strategy):
        strategy.loss_was_finite &= strategy.step != 2
        if strategy.step == 3:
            strategy.stop_training()

    loop = make_loop(tiny_network(), [Watch("before_backward", spoil)])
    with pytest.raises(NonFiniteLoss, match="by step 4 of"):
        loop.train(tagged_benchmark([4]).train_stream[0], eval_streams=[])


def test_same_seeds_same_weights_and_predictions(benchmark, images, parts):
    def trained(seed):
        torch.manual_seed(1)
        model = tiny_network()
        make_loop(model, seed=seed, steps=12).train(benchmark.train_stream[0], eval_streams=[])
        return weights(model), predict(model, SliceDataset(images, parts[parts.part == "test"]))[0]

    first, again, other = trained(3), trained(3), trained(4)
    assert torch.equal(first[0], again[0]) and (first[1] == again[1]).all()
    assert not torch.equal(first[0], other[0])


def test_it_learns(benchmark, images, parts):
    model = tiny_network()
    loop = make_loop(model, steps=120, batch_size=4, learning_rate=0.05)
    loop.train(benchmark.train_stream[0], eval_streams=[])
    test = parts[(parts.part == "test") & (parts.scanner == "alpha")]
    prediction, truth = predict(model, SliceDataset(images, test))
    for label in range(1, len(CLASSES) + 1):
        assert dice_of_counts(**pixel_counts(prediction, truth, label)) > 0.9


def test_joint_batches_mix_all_scanners(images, parts):
    rows = pd.concat([parts[(parts.part == "train") & (parts.scanner == s)] for s in
                      ("gamma", "alpha")])  # fmt: skip
    joint = dense_benchmark(images, {"train": [rows]})
    shown = []
    loop = make_loop(plugins=[Watch("before_forward", lambda s: shown.append(s.mb_x.clone()))],
                     steps=len(rows), batch_size=2)  # fmt: skip
    loop.train(joint.train_stream[0], eval_streams=[])
    expected = SliceDataset(images, rows).batch(torch.arange(len(rows)))[0]
    seen = torch.cat(shown)[: len(rows)]
    match = (seen.flatten(1).unsqueeze(1) == expected.flatten(1).unsqueeze(0)).all(2)
    assert (match.sum(0) == 1).all() and (match.sum(1) == 1).all()


def test_augmentation_sees_every_batch_once():
    sizes = []

    def augment(pictures):
        sizes.append(len(pictures))
        return SimpleNamespace(images=lambda x: torch.full_like(x, 7.0), masks=lambda y: y)

    seen = Seen()
    loop = make_loop(plugins=[seen], augment=augment)
    loop.train(tagged_benchmark([6]).train_stream[0], eval_streams=[])
    assert sizes == [4] * 5
    assert {tag for batch in seen.batches[0] for tag in batch} == {7.0}


def test_bfloat16_runs_and_is_scored_in_single(benchmark):
    kinds = []
    watch = Watch("before_backward", lambda s: kinds.append((s.mb_output.dtype, s.loss.dtype)))
    results = []
    for autocast in (True, False):
        torch.manual_seed(0)
        model = tiny_network()
        loop = make_loop(model, [watch], autocast=autocast, steps=3)
        loop.train(benchmark.train_stream[0], eval_streams=[])
        results.append(weights(model))
    assert kinds[0] == (torch.bfloat16, torch.float32)
    assert kinds[-1] == (torch.float32, torch.float32)
    assert all(torch.isfinite(w).all() for w in results)
    assert not torch.equal(*results)
    torch.testing.assert_close(*results, atol=0.05, rtol=0.1)


@pytest.mark.parametrize(
    "plugin", [lambda: ReplayPlugin(mem_size=6), lambda: EWCPlugin(1000.0)], ids=["Replay", "EWC"]
)
def test_stock_avalanche_plugins_run_on_dense_data(benchmark, plugin):
    results, sizes = [], []
    for plugins in ([plugin()], []):
        torch.manual_seed(0)
        model = tiny_network()
        watch = Watch("before_forward", lambda s: sizes.append(len(s.mb_x)))
        loop = make_loop(model, [*plugins, watch], steps=6)
        after = []
        for experience in benchmark.train_stream[:2]:
            torch.manual_seed(1)
            loop.train(experience, eval_streams=[])
            after.append(weights(model))
        results.append(after)
    assert torch.equal(results[0][0], results[1][0])
    assert not torch.equal(results[0][1], results[1][1])
    assert torch.isfinite(results[0][1]).all()
    if isinstance(plugin(), ReplayPlugin):
        assert max(sizes[6:12]) == 8  # Avalanche adds its memory on top of the batch


def test_a_loader_without_batches_does_not_hang():
    epochs = []

    def begin(strategy):
        epochs.append(1)
        if len(epochs) > 50:
            raise TimeoutError("the loop spins without taking a step")

    def empty(strategy):
        strategy.dataloader = []

    plugins = [Watch("before_training_exp", empty), Watch("before_training_epoch", begin)]
    with pytest.raises((InputError, ValueError, RuntimeError)):
        make_loop(plugins=plugins).train(tagged_benchmark([4]).train_stream[0], eval_streams=[])


def test_a_plugin_can_stop_an_experience_but_not_the_following():
    seen = Seen()

    def stop(strategy):
        if strategy.step == 2 and strategy.experience.current_experience == 0:
            strategy.stop_training()

    loop = make_loop(plugins=[seen, Watch("after_training_iteration", stop)], steps=5)
    loop.train(tagged_benchmark([8, 8]).train_stream, eval_streams=[])
    assert len(seen.batches[0]) == 2
    assert len(seen.batches.get(1, [])) == 5


def test_settings_are_frozen():
    with pytest.raises(AttributeError):
        LoopSettings(steps=1, batch_size=1, learning_rate=1).steps = 2


def test_coarser_logits_are_trained_whatever_a_plugin_makes_of_the_loss():
    def replace_loss(strategy):
        assert strategy.coarser_logits and strategy.model.coarser is None
        strategy.loss = 0.0 * strategy.mb_output.sum()

    model = TwoScales()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    loop = make_loop(model, [Watch("before_backward", replace_loss)])
    loop.train(tagged_benchmark([6]).train_stream[0], eval_streams=[])
    moved = {name for name, value in model.state_dict().items() if not value.equal(before[name])}
    assert moved == {"coarse.weight", "coarse.bias"}


def test_the_loss_of_coarser_logits_is_added_once():
    losses = {}

    def see(name):
        return lambda strategy: losses.setdefault(name, strategy.loss.item())

    plugins = [Watch("before_backward", see("full")), Watch("after_backward", see("all"))]
    targets = {}
    plugins.append(
        Watch(
            "after_backward",
            lambda s: targets.setdefault("loss", coarser_loss(s.coarser_logits, s.mb_y).item()),
        )
    )
    make_loop(TwoScales(), plugins, steps=1).train(
        tagged_benchmark([6]).train_stream[0], eval_streams=[]
    )
    assert losses["all"] == pytest.approx(losses["full"] + targets["loss"])

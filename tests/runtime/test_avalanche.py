"""What the package relies on in Avalanche, stated for the pinned version."""

import re
from importlib.metadata import version
from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import avalanche.training.plugins
import pytest
import torch
from avalanche.benchmarks.utils.data_loader import TaskBalancedDataLoader
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cl_seg.runtime.avalanche import (
    AvalancheDataset,
    BasePlugin,
    DataAttribute,
    DatasetExperience,
    EvaluationPlugin,
    SupervisedPlugin,
    SupervisedTemplate,
    benchmark_from_datasets,
    one_task,
)

ROOT = Path(__file__).parents[2]
PREPARE = [
    "before_train_dataset_adaptation",
    "after_train_dataset_adaptation",
    "make_train_dataloader",
    "check_model_and_optimizer",
    "before_training_exp",
]
STEP = [
    "before_training_iteration",
    "before_forward",
    "after_forward",
    "before_backward",
    "after_backward",
    "before_update",
    "after_update",
    "after_training_iteration",
]
HOOKS = [n for n in dir(SupervisedPlugin) if re.match("(before|after)_(?!.*eval)", n)]


def test_version_is_the_pinned_one():
    pinned = re.search(r"^avalanche-lib==(.+)$", (ROOT / "constraints.txt").read_text(), re.M)
    assert pinned is not None and version("avalanche-lib") == pinned[1]


def test_classes_are_avalanches_own():
    """So that our plugins and anyone's are of one kind."""
    assert SupervisedPlugin is avalanche.training.plugins.SupervisedPlugin
    assert SupervisedTemplate in avalanche.training.Naive.__mro__
    assert isinstance(SupervisedPlugin(), BasePlugin)


def dense_dataset(count, collate_fn=None, attributes=()):
    """Images (1, 4, 4) whose pixels are their index, and masks."""
    images = torch.arange(count, dtype=torch.float32).view(-1, 1, 1, 1).expand(-1, 1, 4, 4).clone()
    data = TensorDataset(images, (images[:, 0] > 1).long())
    return AvalancheDataset(
        [data], data_attributes=[one_task(count), *attributes], collate_fn=collate_fn
    )


def stream(*counts):
    return benchmark_from_datasets(train=[dense_dataset(n) for n in counts]).train_stream


def make_template(plugins=(), kind=SupervisedTemplate):
    torch.manual_seed(0)
    model = nn.Conv2d(1, 2, 1)
    return kind(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
        criterion=nn.CrossEntropyLoss(),
        train_mb_size=2,
        plugins=list(plugins),
        evaluator=EvaluationPlugin(),
    )


class Trace(SupervisedPlugin):
    """Names of the hooks, and what ``see`` reads of the template in each."""

    def __init__(self, see=lambda strategy: None, hooks=HOOKS):
        super().__init__()
        self.calls, self.seen = [], []
        for name in hooks:
            setattr(self, name, lambda strategy, name=name, **kwargs: self.note(name, strategy))
        self.see = see

    def note(self, name, strategy):
        self.calls.append(name)
        self.seen.append((name, self.see(strategy)))


def test_hooks_and_methods_of_a_training_in_order():
    trace = Trace()

    class Traced(SupervisedTemplate):
        def make_train_dataloader(self, **kwargs):
            trace.calls.append("make_train_dataloader")
            super().make_train_dataloader(**kwargs)

        def check_model_and_optimizer(self, **kwargs):
            trace.calls.append("check_model_and_optimizer")
            super().check_model_and_optimizer(**kwargs)

    template = make_template([trace], Traced)
    for experience in stream(4, 2):
        template.train(experience, eval_streams=[])
    epochs = [["before_training_epoch", *STEP * steps, "after_training_epoch"] for steps in (2, 1)]
    assert trace.calls == [
        call
        for epoch in epochs
        for call in ("before_training", *PREPARE, *epoch, "after_training_exp", "after_training")
    ]
    assert set(trace.calls) == {*HOOKS, "make_train_dataloader", "check_model_and_optimizer"}


def test_train_exp_can_be_replaced_and_triggers_every_hook_of_a_step():
    class OneStep(SupervisedTemplate):
        def _train_exp(self, experience, eval_streams=None, **kwargs):
            given.append((experience, eval_streams, kwargs))
            for name in STEP:
                getattr(self, f"_{name}")(**kwargs)

    given, trace = [], Trace()
    (experience,) = stream(4)
    make_template([trace], OneStep).train(experience, eval_streams=[])
    begin = [name for name in PREPARE if name in HOOKS]
    assert trace.calls == ["before_training", *begin, *STEP, "after_training_exp", "after_training"]
    assert given == [(experience, [], {})]


def test_evaluation_has_hooks_around_every_experience():
    around = ["before_eval_exp", "after_eval_exp"]
    trace = Trace(lambda s: (s.experience.current_experience, s.model.training), around)
    make_template([trace]).eval(stream(2, 3))
    assert trace.seen == [(hook, (position, False)) for position in (0, 1) for hook in around]


def test_hooks_are_called_plugin_by_plugin_and_the_clock_last():
    order = []

    class Named(SupervisedPlugin):
        def __init__(self, name):
            super().__init__()
            self.name = name

        def after_training_exp(self, strategy, **kwargs):
            order.append((self.name, strategy.clock.train_exp_counter))

    template = make_template([Named("a"), Named("b")])
    template.train(stream(2), eval_streams=[])
    assert order == [("a", 0), ("b", 0)] and template.clock.train_exp_counter == 1
    assert template.plugins[-1] is template.clock
    template.plugins.append(Named("c"))  # as the loop appends those that stop it
    template.train(stream(2), eval_streams=[])
    assert order[2:] == [("a", 1), ("b", 1), ("c", 2)]


def test_a_plugin_needs_only_the_hooks_it_has():
    class Bare:
        pass

    make_template([SupervisedPlugin(), Bare()]).train(stream(2), eval_streams=[])


def test_clock_counts_and_may_be_set():
    trace = Trace(
        lambda s: (s.clock.train_exp_counter, s.clock.train_iterations, s.clock.total_iterations)
    )
    template = make_template([trace])
    template.clock.train_exp_counter = 3
    template.clock.train_iterations = template.clock.total_iterations = 10
    for experience in stream(4, 2):
        template.train(experience, eval_streams=[])
    steps = [counts for name, counts in trace.seen if name == "before_backward"]
    assert steps == [(3, 10, 10), (3, 11, 11), (4, 12, 12)]
    assert (template.clock.train_exp_counter, template.clock.train_iterations) == (5, 13)


def test_what_a_plugin_reads_in_a_step():
    def see(strategy):
        return {
            "batch": [type(strategy.mbatch), len(strategy.mbatch)],
            "x": strategy.mb_x is strategy.mbatch[0] and tuple(strategy.mb_x.shape),
            "y": strategy.mb_y is strategy.mbatch[1] and tuple(strategy.mb_y.shape),
            "output": tuple(strategy.mb_output.shape),
            "loss": strategy.loss.requires_grad and tuple(strategy.loss.shape),
            "criterion": float(strategy._criterion(strategy.mb_output, strategy.mb_y).detach())
            == float(strategy.loss.detach()),
            "experience": strategy.experience.current_experience,
            "data": len(strategy.adapted_dataset),
            "loader": type(strategy.dataloader),
            "size": strategy.train_mb_size,
            "training": strategy.is_training and strategy.model.training,
            "device": strategy.device,
        }

    trace = Trace(see)
    trace.note = lambda name, s: name == "before_backward" and Trace.note(trace, name, s)
    make_template([trace]).train(stream(2), eval_streams=[])
    assert trace.seen == [
        (
            "before_backward",
            {
                "batch": [list, 3],
                "x": (2, 1, 4, 4),
                "y": (2, 4, 4),
                "output": (2, 2, 4, 4),
                "loss": (1,),
                "criterion": True,
                "experience": 0,
                "data": 2,
                "loader": DataLoader,
                "size": 2,
                "training": True,
                "device": torch.device("cpu"),
            },
        )
    ]


def test_a_plugin_may_replace_the_loader_and_the_loss_and_stop():
    class Changing(SupervisedPlugin):
        steps = 0

        def before_training_exp(self, strategy, **kwargs):
            images = torch.zeros(5, 1, 4, 4)
            strategy.dataloader = [(images, torch.zeros(5, 4, 4).long(), torch.zeros(5))] * 9

        def before_backward(self, strategy, **kwargs):
            assert len(strategy.mb_x) == 5
            strategy.loss = strategy.loss * 0

        def after_training_iteration(self, strategy, **kwargs):
            self.steps += 1
            if self.steps == 2:
                strategy.stop_training()

    plugin = Changing()
    template = make_template([plugin])
    before = template.model.weight.detach().clone()
    template.train(stream(2), eval_streams=[])
    assert plugin.steps == 2 and torch.equal(template.model.weight, before)


def test_methods_that_the_loop_calls_as_they_are():
    template = make_template()
    (experience,) = stream(2)
    template.experience = experience
    assert template.model_adaptation() is template.model
    assert template._make_empty_loss().tolist() == [0]
    images = torch.rand(2, 1, 4, 4)
    template.mbatch = (images, torch.zeros(2, 4, 4).long(), torch.zeros(2))
    template._unpack_minibatch()
    assert isinstance(template.mbatch, list) and template.mb_x is images
    template.mb_output = template.forward()
    assert torch.equal(template.mb_output, template.model(images))
    template.loss = template.criterion()
    template.backward()
    before = template.model.weight.detach().clone()
    template.optimizer_step()
    assert not torch.equal(template.model.weight, before)


def test_experiences_of_a_benchmark():
    datasets = [dense_dataset(2), dense_dataset(3)]
    benchmark = benchmark_from_datasets(train=datasets, test=datasets[:1])
    assert list(benchmark.streams) == ["train", "test"] and len(benchmark.test_stream) == 1
    for position, experience in enumerate(benchmark.train_stream):
        assert isinstance(experience, DatasetExperience)
        assert experience.dataset is datasets[position]
        assert experience.current_experience == position
        assert experience.origin_stream[1 - position].dataset is datasets[1 - position]
        assert not hasattr(experience, "task_labels")


class Own(AvalancheDataset):
    """A subclass, as ours is one."""


def test_items_and_parts_of_a_dataset():
    names = DataAttribute(list("abc"), name="names")
    images = torch.arange(3.0).view(3, 1, 1, 1).expand(3, 1, 4, 4)
    data = TensorDataset(images, torch.zeros(3, 4, 4).long())
    dataset = Own([data], data_attributes=[one_task(3), names], collate_fn=len)
    image, mask, task = dataset[2]
    assert torch.equal(image, images[2]) and mask.shape == (4, 4) and task == 0
    assert len(dataset[2]) == 3, "an attribute is no part of an item"
    part = dataset.subset([2, 0])
    both = part.concat(dataset)
    for changed, kept in [(part, "ca"), (both, "caabc"), (dataset.train(), "abc")]:
        assert isinstance(changed, Own) and changed.collate_fn is len
        assert "".join(changed.names) == kept
        assert [float(changed[i][0].mean()) for i in range(len(changed))] == [
            "abc".index(name) for name in kept
        ]
    assert isinstance(dataset.eval(), Own) and dataset.eval().collate_fn is len


def test_flat_data_lists_its_parts():
    first, second = dense_dataset(3), dense_dataset(2)
    whole = first._flat_data
    assert whole._indices is None and whole._cumulative_sizes == [3]
    (data,) = whole._datasets
    assert isinstance(data, TensorDataset)
    assert list(first.subset([2, 0])._flat_data._indices) == [2, 0]
    joined = first.concat(second)._flat_data
    assert joined._cumulative_sizes == [3, 5] and len(joined._datasets) == 2


class TaskAware(DatasetExperience):
    """An experience that names its tasks."""

    task_labels = (0,)


def with_tasks(*counts):
    experiences = stream(*counts)
    for experience in experiences:
        experience.__class__ = TaskAware
    return experiences


def test_experiences_with_task_labels_are_loaded_by_task():
    """Small tasks are then oversampled; so ours have no such attribute."""
    for experiences, loader in [(with_tasks(3), TaskBalancedDataLoader), (stream(3), DataLoader)]:
        trace = Trace(lambda s: type(s.dataloader))
        make_template([trace]).train(experiences, eval_streams=[])
        assert dict(trace.seen)["before_training_exp"] is loader


def test_task_labels_need_the_attribute_in_the_dataset():
    """And so does the memory of Avalanche's own replay; ours is there for it."""
    images = TensorDataset(torch.rand(2, 1, 4, 4), torch.zeros(2, 4, 4).long())
    bare = benchmark_from_datasets(train=[AvalancheDataset([images])]).train_stream
    bare[0].__class__ = TaskAware
    with pytest.raises(AttributeError, match="targets_task_labels"):
        make_template().train(bare, eval_streams=[])
    assert list(dense_dataset(2).targets_task_labels) == [0, 0]
    replay = avalanche.training.plugins.ReplayPlugin(mem_size=2)
    template = make_template([replay])
    template.train(stream(4, 4), eval_streams=[])
    assert len(replay.storage_policy.buffer) == 2


def test_masks_as_targets_have_no_classes_to_list():
    """So masks are items only, and in no attribute ``targets``."""
    masks = torch.zeros(3, 4, 4).long()
    dataset = dense_dataset(3, attributes=[DataAttribute(masks.tolist(), "targets")])
    with pytest.raises(TypeError, match="unhashable"):
        _ = dataset.targets.uniques
    dataset = dense_dataset(3, attributes=[DataAttribute(list(masks), "targets")])
    assert len(dataset.targets.uniques) == 3, "equal masks count as different classes"

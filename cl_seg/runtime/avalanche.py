"""All that the package takes from Avalanche, and the one module that imports it.

Another library, or a fork, would have to give what is listed here; tests state each point for the
pinned version (``tests/runtime/test_avalanche.py``).

**Template.** ``train(experience, eval_streams=[])`` of a :class:`SupervisedTemplate` calls
``before_training`` of the plugins, ``before_train_dataset_adaptation`` and
``after_train_dataset_adaptation``, then ``make_train_dataloader`` and
``check_model_and_optimizer`` of its own, ``before_training_exp`` of the plugins, its own
``_train_exp``, and ``after_training_exp`` and ``after_training`` of the plugins.
:class:`cl_seg.training.loop.DenseTraining` overrides
``make_train_dataloader``, ``check_model_and_optimizer``, ``_train_exp``, ``training_epoch``,
``_after_training_exp`` and ``forward``, and calls ``model_adaptation``, ``_unpack_minibatch``,
``_make_empty_loss``, ``criterion``, ``backward`` and ``optimizer_step`` as they are.

**Plugins.** ``_before_…`` and ``_after_…`` of the template call the hook of that name, with the
template as ``strategy``, on every plugin in the order of ``plugins``; the clock is the last. A step
calls ``before_training_iteration``, ``before_forward``, ``after_forward``, ``before_backward``,
``after_backward``, ``before_update``, ``after_update``, ``after_training_iteration``, an epoch
``before_training_epoch`` and ``after_training_epoch`` around its steps. Hooks that a plugin does
not define do nothing. ``eval``, which only scripts of others call, has ``before_eval_exp`` and
``after_eval_exp`` around every experience.

**Attributes of a template.** ``model``, ``optimizer``, ``device``, ``plugins``, ``clock``,
``experience``, ``adapted_dataset``, ``dataloader``, ``train_mb_size``, ``mbatch``, ``mb_x``,
``mb_y``, ``mb_output``, ``loss``, ``_criterion``, ``is_training``, ``_stop_training``. A plugin may
replace ``dataloader`` and ``loss``, and call ``stop_training``. The clock has
``train_exp_counter``, ``train_iterations`` and ``total_iterations``, which may be set before a
training.

**Data.** :func:`benchmark_from_datasets` makes an experience of every dataset, with ``dataset``,
``current_experience`` and ``origin_stream``. An :class:`AvalancheDataset` has ``train``, ``eval``,
``subset`` and ``concat``, which keep its class, attributes and ``collate_fn``; its items end with
the task label. ``_flat_data`` lists ``_datasets``, ``_indices`` and ``_cumulative_sizes``.
Experiences must have no ``task_labels``, or batches are oversampled by task.
"""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from avalanche.benchmarks.scenarios import CLScenario
from avalanche.benchmarks.scenarios.dataset_scenario import (
    DatasetExperience,
    benchmark_from_datasets,
)
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.benchmarks.utils.data_attribute import DataAttribute, TaskLabels
from avalanche.benchmarks.utils.flat_data import ConstantSequence
from avalanche.core import BasePlugin
from avalanche.training.plugins import EvaluationPlugin, SupervisedPlugin
from avalanche.training.templates import SupervisedTemplate

__all__ = [
    "AvalancheDataset",
    "BasePlugin",
    "CLScenario",
    "DataAttribute",
    "DatasetExperience",
    "EvaluationPlugin",
    "SupervisedPlugin",
    "SupervisedTemplate",
    "benchmark_from_datasets",
    "one_task",
]


def one_task(count: int) -> DataAttribute:
    """The task label 0 of so many items, which Avalanche's own replay asks for."""
    return TaskLabels(ConstantSequence(0, count))

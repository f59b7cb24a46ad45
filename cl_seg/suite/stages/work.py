"""A stage at work: the state it starts from, and the data it sees."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from cl_seg.runtime import torch_setup  # isort: skip
import pandas as pd
import torch
from torch import nn

from cl_seg.benchmark.task_images import Task, TaskImages
from cl_seg.messages.errors import InputError
from cl_seg.models.registry import parameter_count
from cl_seg.planning.context import StageContext
from cl_seg.planning.environment import processor
from cl_seg.planning.stages import Stage
from cl_seg.runtime.tensor_bytes import from_bytes
from cl_seg.scans.rows import selected_slices
from cl_seg.scans.store import SliceStore
from cl_seg.suite.cache import StageCache, state_file
from cl_seg.suite.stages.control import Control
from cl_seg.suite.stages.initial import initial_model


class Work:
    """The state a stage starts from, and the data it sees."""

    def __init__(self, stage: Stage, cache: StageCache, control: Control) -> None:
        self.stage, self.cache, self.control = stage, cache, control
        self.context, self.run = stage.context, stage.run
        torch_setup.make_deterministic(self.context.training.threads)
        torch_setup.keep_freed_memory()
        self.device = torch_setup.pick_device(self.context.environment["device"])
        self.images = _images(self.context, self.device)
        self.model = initial_model(self.run, self.context).to(self.device)
        if stage.state_key:
            kept = cache.read(stage.state_key, state_file(stage.state_position))
            self.model.load_state_dict(from_bytes(kept, self.device))

    @property
    def about(self) -> dict[str, Any]:
        """What is kept beside every result."""
        stage = self.stage
        on_gpu = self.device.type == "cuda"
        return {
            "kind": stage.kind,
            "title": stage.title,
            "timing_key": stage.timing_key,
            "steps": stage.steps,
            "device": str(self.device),
            "processor": torch.cuda.get_device_name(self.device) if on_gpu else processor(),
            "parameters": parameter_count(self.model),
        }

    def rows(self, scanners: tuple[str, ...], part: str) -> pd.DataFrame:
        """The slices of a part, scanner by scanner."""
        slices, planned = self.images.store.slices, self.context.rows
        each = [selected_slices(slices, name, planned[name].get(part, "")) for name in scanners]
        return pd.concat(each)

    def adopt_model(self, model: nn.Module) -> None:
        """Go on with the network a loop has trained, which a plugin may have put there.

        Raises:
            InputError: its weights do not fit the network of the run.
        """
        shapes = [{k: v.shape for k, v in m.state_dict().items()} for m in (self.model, model)]
        if shapes[0] != shapes[1]:
            raise InputError(
                f"strategy {self.run.strategy.name} replaced the network by one with other weights"
            )
        self.model = model


def _images(context: StageContext, device: torch.device) -> TaskImages:
    task = Task(tuple(context.classes), context.image.size, context.image.window_hu)
    return _task_images(context.store, context.fingerprint, task, device)


@lru_cache(maxsize=2)
def _task_images(store: Path, _fingerprint: object, task: Task, device: torch.device) -> TaskImages:
    return TaskImages(SliceStore(store), task, device)

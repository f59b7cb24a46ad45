"""The network and the data that a stage starts from."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from cl_seg.runtime import torch_setup  # isort: skip
import pandas as pd
import torch
from torch import nn

from cl_seg.benchmark.task_images import Task, TaskImages
from cl_seg.messages.errors import InputError
from cl_seg.models.build import parameter_count
from cl_seg.planning.context import StageContext
from cl_seg.planning.environment import cpu_name
from cl_seg.planning.stages import Stage
from cl_seg.runtime.serialise import from_bytes
from cl_seg.scans.rows import selected_slices
from cl_seg.scans.store import SliceStore
from cl_seg.suite.cache import StageCache, state_file
from cl_seg.suite.stages.initial import initial_model
from cl_seg.suite.stages.stop_control import StopControl


class StageInputs:
    """The network and the data that a stage starts from.

    Attributes:
        stage: that is computed.
        cache: with the results of the stages before it.
        control: when to stop and to save.
        context: settings and data of all stages of the plan.
        run: a run the stage belongs to.
        device: where it is computed.
        images: of the plan's store.
        model: in the state that the stage starts from.
    """

    def __init__(self, stage: Stage, cache: StageCache, control: StopControl) -> None:
        self.stage, self.cache, self.control = stage, cache, control
        self.context, self.run = stage.context, stage.run
        torch_setup.make_deterministic(self.context.training.threads)
        torch_setup.keep_freed_memory()
        self.device = torch_setup.pick_device(self.context.device)
        self.images = _images(self.context, self.device)
        self.model = initial_model(self.run, self.context).to(self.device)
        if stage.state_key:
            kept = cache.read(stage.state_key, state_file(stage.state_position))
            self.model.load_state_dict(from_bytes(kept, self.device))

    @property
    def metadata(self) -> dict[str, Any]:
        """Metadata written beside every result."""
        stage = self.stage
        on_gpu = self.device.type == "cuda"
        return {
            "kind": stage.kind,
            "title": stage.title,
            "timing_key": stage.timing_key,
            "steps": stage.steps,
            "device": self.device.type,
            "processor": torch.cuda.get_device_name(self.device) if on_gpu else cpu_name(),
            "parameters": parameter_count(self.model),
        }

    def rows(self, *selection: tuple[str, str]) -> pd.DataFrame:
        """The slices of some parts of scanners, one after the other."""
        slices, planned = self.images.store.slices, self.context.rows
        each = [selected_slices(slices, s, planned[s].get(part, "")) for s, part in selection]
        return pd.concat(each)

    def adopt_model(self, model: nn.Module) -> None:
        """Continue with the network that a loop has trained; a plugin may have replaced it.

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

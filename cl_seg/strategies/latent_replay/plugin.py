"""Replay of features with skip connections."""

from contextlib import ExitStack
from typing import Any, Literal

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from cl_seg.runtime.eval_mode import eval_mode
from cl_seg.strategies.latent_replay import LatentReplaySettings
from cl_seg.strategies.latent_replay.encoder_outputs import (
    changed_outputs,
    encoder_outputs,
    outermost_modules,
    outputs_read_outside,
)
from cl_seg.strategies.shared.encoder_names import ENCODERS
from cl_seg.strategies.shared.frozen_parameters import FrozenParameters
from cl_seg.strategies.shared.memory_settings import Selection
from cl_seg.strategies.shared.returning_scanner import scanner_position
from cl_seg.strategies.shared.slice_memory import SliceMemory

Tensors = dict[str, Tensor]

FORWARD_BATCH = 8


class LatentReplay(SliceMemory):
    """Latent replay (Pellegrini et al. 2020, arXiv 1912.01100) for networks with skip connections.

    From the second experience on the encoder is frozen. A batch holds new images and empty ones;
    where the encoder gives what the decoder reads, the rows of the empty images are replaced by
    stored features, and their masks by stored masks. Stored features are those of slices without
    augmentation, in eval mode. Features at full resolution can give away the image they are of:
    this keeps no images, it makes nothing anonymous.

    Args:
        budget: slices in memory over all experiences; 16 unless ``percent`` is given.
        percent: instead of a budget, per cent of every experience's slices.
        sampling: ``balanced`` (default) or ``random`` division of a budget.
        by: draws ``slice`` by slice, or each ``patient`` in turn.
        select: ``random`` slices, or the first by ``k-center``, ``typiclust`` or ``entropy``.
        batch_share: part of the slices of every step drawn from memory.
        batch: ``shared`` by new and old slices, or old ones ``added`` to a batch of new ones.
        encoder: regular expression of the beginning of the names of the encoder's parameters.
        seed: of the draws.

    Raises:
        InputError: naming a wrong argument.

    Attributes:
        features: experience → name of an output of the encoder → (n, …) float16.
        masks: experience → (n, H, W) uint8.
    """

    settings: LatentReplaySettings
    keeps_images = False

    def __init__(  # noqa: PLR0913
        self,
        *,
        budget: int | None = None,
        percent: float | None = None,
        sampling: Literal["balanced", "random"] | None = None,
        by: Literal["slice", "patient"] = "slice",
        select: Selection = "random",
        batch_share: float = 0.5,
        batch: Literal["shared", "added"] = "shared",
        encoder: str = "",
        seed: int = 0,
    ) -> None:
        settings = LatentReplaySettings.of_keywords(
            budget=budget,
            percent=percent,
            sampling=sampling,
            by=by,
            select=select,
            batch_share=batch_share,
            batch=batch,
            encoder=encoder,
        )
        super().__init__(settings, seed)
        self.encoder = FrozenParameters(settings.encoder or ENCODERS)
        self.features: dict[int, Tensors] = {}
        self.masks: dict[int, Tensor] = {}
        self._stored: Tensors = {}
        self._replacement = ExitStack()

    def require_network(self, model: nn.Module) -> None:
        """Refuse a network of which no parameter is the encoder's, or all are."""
        self.encoder.require_network(model)

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Freeze the encoder and mix memory into the batches, from the second experience on."""
        if strategy.clock.train_exp_counter > 0:
            self.encoder.freeze(strategy.model)
        super().before_training_exp(strategy)
        self._stored = _joined(self.features)

    def remembered(self, strategy: Any) -> TensorDataset:
        """Empty images with the stored masks, in the order of the memory."""
        image = strategy.adapted_dataset[0][0]
        masks = torch.cat([self.masks[k] for k in sorted(self.masks)]).to(image.device)
        images = image.new_zeros(1).expand(len(masks), *image.shape)
        return TensorDataset(images, masks.long(), torch.zeros(len(masks), dtype=torch.int64))

    def before_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Put back the stored masks, which augmentation has moved."""
        if self.memory_batch_size:
            stored: TensorDataset = strategy.dataloader.old.dataset
            drawn = list(strategy.dataloader.old.drawn)
            strategy.mbatch[1][-len(drawn) :] = stored.tensors[1][drawn].to(strategy.mb_y)

    def before_forward(self, strategy: Any, **kwargs: Any) -> None:
        """Replace what the encoder makes of the empty images by what is stored."""
        if strategy.clock.train_exp_counter > 0:
            self.encoder.hold_statistics()
        if self.memory_batch_size:
            drawn = list(strategy.dataloader.old.drawn)

            def replace(name: str, tensor: Tensor) -> Tensor:
                if name not in self._stored:
                    return tensor
                return torch.cat([tensor[: -len(drawn)], self._stored[name][drawn].to(tensor)])

            modules = outermost_modules(strategy.model, self.encoder.is_frozen)
            self._replacement.enter_context(changed_outputs(strategy.model, modules, replace))

    def after_forward(self, strategy: Any, **kwargs: Any) -> None:
        """End the replacement."""
        self._replacement.close()

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Keep features and masks of slices of the new experience, and drop others of older ones.

        Raises:
            InputError: no parameter is the encoder's, or all are.
        """
        super().after_training_exp(strategy)
        position = scanner_position(strategy.experience)
        if kept := self.memory.get(position, []):
            dataset = strategy.experience.dataset.eval()
            slices = [dataset[index] for index in kept]
            self.features[position] = self._features(
                strategy.model, torch.stack([image for image, *_ in slices])
            )
            self.masks[position] = torch.stack([mask for _, mask, *_ in slices]).byte()
        for stored in (self.features, self.masks):
            for gone in stored.keys() - self.memory.keys():
                del stored[gone]
        for k, indices in self.memory.items():
            self.masks[k] = self.masks[k][: len(indices)].clone()
            parts = self.features[k].items()
            self.features[k] = {name: part[: len(indices)].clone() for name, part in parts}

    def _features(self, model: nn.Module, images: Tensor) -> Tensors:
        self.encoder.require_network(model)
        device = next(model.parameters()).device
        modules = outermost_modules(model, self.encoder.is_frozen)
        with eval_mode(model):
            read = outputs_read_outside(model, modules, images[:1].to(device))
            batches = [
                encoder_outputs(model, modules, read, batch.to(device))
                for batch in torch.split(images, FORWARD_BATCH)
            ]
        return {name: torch.cat([batch[name] for batch in batches]) for name in read}

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain data from which :meth:`load_state_dict` restores the memory."""
        features = {str(k): dict(stored) for k, stored in self.features.items()}
        masks = {str(k): stored for k, stored in self.masks.items()}
        return {**super().state_dict(), "features": features, "masks": masks}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the memory."""
        super().load_state_dict(state)
        self.features = {int(k): dict(stored) for k, stored in state["features"].items()}
        self.masks = {int(k): stored for k, stored in state["masks"].items()}


def _joined(features: dict[int, Tensors]) -> Tensors:
    """All stored features, in the order of the memory."""
    each = [features[k] for k in sorted(features)]
    return {name: torch.cat([stored[name] for stored in each]) for name in each[0]} if each else {}

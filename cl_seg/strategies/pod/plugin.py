"""Distillation of pooled feature maps, POD and local POD."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from cl_seg.strategies.pod import PODSettings
from cl_seg.strategies.pod.feature_maps import feature_maps, find_layers
from cl_seg.strategies.shared.distillation import Distillation, distillation, taught_logits

_AXES: dict[str, list[tuple[int, ...]]] = {"spatial": [(5,), (3,)], "global": [(3, 5)]}
"""Pool → axes of (B, C, s, rows, s, columns) that are averaged over, one after the other."""


class POD(Distillation):
    """Pooled outputs distillation, local as in PLOP (arXiv 2004.13513, arXiv 2011.11390).

    From the second experience on the loss gains ``factor ·`` the mean over levels l of::

        mean over images ‖Ψ(f_l) − Ψ(f_l*)‖²

    f_l are the student's and f_l* the teacher's feature maps, and Ψ is :func:`pooled`. The teacher
    is the network that the experience starts from, in eval mode, and sees the same augmented
    images. Labels take no part, so pixels whose label is ignored count like any other. With
    ``alpha`` the logits are distilled besides, as by LwF.

    A level is a run of feature maps of one size, in the order of the forward pass, and f_l is the
    last of them, before the size changes: the levels of the encoder, the lowest one, and those of
    the decoder. A feature map is a (B, C, H, W) output of a module that holds a convolution, whose
    number of channels is not that of the logits. Nothing is kept on disk.

    Args:
        factor: weight of the distance between the pooled feature maps of teacher and student.
        scales: a scale of s pools within s × s regions; ``[1]`` is POD, ``[1, 2, 4]`` local POD.
        pool: ``spatial`` pools a region over its width and over its height, ``global`` over both.
        layers: names of the modules whose outputs are compared; empty for the ends of all levels.
        alpha: weight of LwF's distillation of the logits.
        temperature: T of that distillation.
        seed: not used.

    Raises:
        InputError: naming a wrong argument.

    Attributes:
        layers: names of the modules compared in the current experience.
        maps: the student's feature maps of the current step.
    """

    def __init__(
        self,
        *,
        factor: float = 1.0,
        scales: Sequence[int] = (1, 2, 4),
        pool: Literal["spatial", "global"] = "spatial",
        layers: Sequence[str] = (),
        alpha: float = 0.0,
        temperature: float = 2.0,
        seed: int = 0,
    ) -> None:
        self.settings = PODSettings.of_keywords(
            factor=factor,
            scales=scales,
            pool=pool,
            layers=layers,
            alpha=alpha,
            temperature=temperature,
        )
        super().__init__(active=self.settings.factor > 0 or self.settings.alpha > 0)
        self.layers: list[str] = []
        self.maps: dict[str, Tensor] = {}
        self._hooks = ExitStack()

    def before_forward(self, strategy: Any, **kwargs: Any) -> None:
        """Find the layers in the first step, and collect the student's feature maps in all.

        Raises:
            InputError: the network has none, or not those of the setting ``layers``.
        """
        if self.teacher is None or not self.settings.factor:
            return
        if not self.layers:
            self.layers = find_layers(self.teacher, strategy.mb_x[:1], self.settings.layers)
        self.maps = self._hooks.enter_context(feature_maps(strategy.model, self.layers))

    def after_forward(self, strategy: Any, **kwargs: Any) -> None:
        """Leave the student without hooks."""
        self._hooks.close()

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Add the distillation of feature maps, and that of logits, to the loss."""
        if self.teacher is None:
            return
        with feature_maps(self.teacher, self.layers) as taught_maps:
            taught = taught_logits(self.teacher, strategy)
        chosen = self.settings
        if chosen.factor:
            pairs = [(self.maps[name], taught_maps[name]) for name in self.layers]
            distances = [pod(*pair, chosen.scales, chosen.pool) for pair in pairs]
            strategy.loss = strategy.loss + chosen.factor * torch.stack(distances).mean()
        if chosen.alpha:
            loss = distillation(strategy.mb_output, taught, strategy.mb_y, chosen.temperature)
            strategy.loss = strategy.loss + chosen.alpha * loss
        self.maps = {}

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Let the teacher go, and its levels."""
        super().after_training_exp(strategy)
        self.layers = []


def pod(student: Tensor, teacher: Tensor, scales: Sequence[int], pool: str) -> Tensor:
    """Mean over images of the squared distance between pooled feature maps, from 0 to 2.

    Args:
        student: (B, C, H, W).
        teacher: (B, C, H, W).
        scales: of :func:`pooled`.
        pool: of :func:`pooled`.

    Returns:
        Scalar float32.
    """
    difference = pooled(student, scales, pool) - pooled(teacher, scales, pool)
    return difference.square().sum(1).mean()


def pooled(features: Tensor, scales: Sequence[int], pool: str) -> Tensor:
    """Ψ: squared features, averaged over strips of regions, as one vector of length 1 per image.

    Local POD of arXiv 2011.11390; squares and the length of 1 are of its authors' code.

    Args:
        features: (B, C, H, W).
        scales: a scale of s divides the map into s × s regions; it takes part where s divides both
            H and W.
        pool: ``spatial`` averages every region over its width and over its height, ``global`` over
            both.

    Returns:
        (B, n) float32; zeros where all features are.
    """
    squares = features.float().square()
    batch, channels, height, width = squares.shape
    means = []
    for scale in scales:
        if height % scale == 0 and width % scale == 0:
            rows, columns = height // scale, width // scale
            regions = squares.reshape(batch, channels, scale, rows, scale, columns)
            means += [regions.mean(axes).flatten(1) for axes in _AXES[pool]]
    return functional.normalize(torch.cat(means, 1), dim=1)

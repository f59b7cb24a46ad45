"""Settings of every strategy, without torch. All defaults are settings of ours."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

ENCODERS = (
    r"in_tr|down_tr|vit\.|swinViT|encoder|"
    r"model\.(1\.submodule\.)*(0\.|1\.submodule\.(conv|residual))"
)
ALL_BUT_HEADS = r"(?!out_tr\.conv2\.|model\.2\.1\.|out\.)"


class Settings(BaseModel):
    """Settings of a strategy; the base class has none."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PluginSettings(BaseModel):
    """Keyword arguments of somebody else's plugin, whatever they are."""

    model_config = ConfigDict(extra="allow", frozen=True)


class JointSettings(Settings):
    """Joint training on the union of all scanners, the usual upper bound.

    Attributes:
        steps_factor: optimiser steps as a multiple of one stage; None means the number of
            scanners, so that joint training costs as much as the whole stream.
    """

    steps_factor: float | None = Field(default=None, gt=0)


class CumulativeSettings(Settings):
    """Training on the union of all scanners seen so far, stage by stage.

    Attributes:
        steps_factor: optimiser steps of every stage as a multiple of one stage; None means the
            number of scanners seen.
        restart: True trains every stage from scratch, which gives the joint references that
            intransigence is measured against; False goes on from the stage before.
    """

    steps_factor: float | None = Field(default=None, gt=0)
    restart: bool = False


class MemorySettings(Settings):
    """Which slices of earlier scanners are kept, and how many of a batch they are.

    Attributes:
        budget: slices in memory over all scanners seen; 16 unless ``percent`` is given.
        percent: instead of a budget, per cent of every scanner's slices.
        sampling: how a budget is divided, ``balanced`` equally between the scanners seen, or
            ``random`` in proportion to their slices, as a uniform sample of all would be.
        by: ``slice`` draws slices at random, ``patient`` takes patients in turn, so that as many
            of them as possible are in memory.
        batch_share: part of every batch drawn from memory once there is one.
    """

    budget: PositiveInt | None = None
    percent: float | None = Field(default=None, gt=0, le=100)
    sampling: Literal["balanced", "random"] | None = None
    by: Literal["slice", "patient"] = "slice"
    batch_share: float = Field(default=0.5, gt=0, lt=1)

    @model_validator(mode="after")
    def _one_size(self) -> "MemorySettings":
        if self.percent is not None and (self.budget is not None or self.sampling is not None):
            raise PydanticCustomError(
                "size", "`percent` says how much every scanner keeps: no `budget`, no `sampling`"
            )
        return self

    @property
    def slices(self) -> int:
        """The budget in slices where there is no percentage."""
        return self.budget or 16


class ReplaySettings(MemorySettings):
    """Replay of stored slices (Chaudhry et al. 2019, arXiv 1902.10486)."""


class AGEMSettings(MemorySettings):
    """Averaged gradient episodic memory (Chaudhry et al. 2019, arXiv 1812.00420)."""


class DERSettings(MemorySettings):
    """Dark experience replay, DER++ (Buzzega et al. 2020, arXiv 2004.07211, eq. 6).

    Attributes:
        alpha: weight of the squared distance to the stored logits.
        beta: weight of the training loss on the stored slices.
    """

    alpha: float = Field(default=0.1, ge=0)
    beta: float = Field(default=1.0, ge=0)


class EWCSettings(Settings):
    """Elastic weight consolidation (Kirkpatrick et al. 2017, eq. 3).

    The training loss gains ``ewc_lambda / 2 · Σ_k F_k (θ_k − θ*_k)²``.

    Attributes:
        ewc_lambda: λ of the equation above.
        fisher: how the diagonal Fisher information is estimated (names as in van de Ven 2025,
            arXiv 2502.11756): ``sampled`` draws every pixel's label from the softmax, ``empirical``
            takes the true labels, both square per-image gradients; ``batch`` squares the gradient
            of a mini-batch mean, as Avalanche does.
        fisher_images: images the Fisher is estimated on, drawn at random; None means all.
        mode: ``summed`` adds one quadratic per scanner, ``online`` decays the older ones.
        decay: γ of the online mode (Schwarz et al. 2018, eq. 9), which needs it.
    """

    ewc_lambda: float = Field(default=0.01, ge=0)
    fisher: Literal["sampled", "empirical", "batch"] = "sampled"
    fisher_images: PositiveInt | None = None
    mode: Literal["summed", "online"] = "summed"
    decay: float | None = Field(default=None, gt=0, le=1)

    @model_validator(mode="after")
    def _nothing_without_effect(self) -> "EWCSettings":
        if (self.mode == "online") != (self.decay is not None):
            raise PydanticCustomError("decay", "`decay` and `mode: online` go together")
        if self.fisher == "batch" and self.fisher_images is not None:
            raise PydanticCustomError("images", "`fisher_images` has no effect on `fisher: batch`")
        return self


class MASSettings(Settings):
    """Memory aware synapses (Aljundi et al. 2018, arXiv 1711.09601, eqs. 2 and 4).

    Attributes:
        mas_lambda: λ; the training loss gains ``mas_lambda / 2 · Σ_k Ω_k (θ_k − θ*_k)²``.
        images: images the importance is estimated on, drawn at random; None means all.
        keep: share of the older importance in the running mean, as in Avalanche; None adds up
            the importance of all scanners, as in the paper.
    """

    mas_lambda: float = Field(default=1.0, ge=0)
    images: PositiveInt | None = None
    keep: float | None = Field(default=None, ge=0, lt=1)


class SISettings(Settings):
    """Synaptic intelligence (Zenke et al. 2017, arXiv 1703.04200, eqs. 4 and 5).

    Attributes:
        si_lambda: the training loss gains ``si_lambda / 2 · Σ_k Ω_k (θ_k − θ*_k)²``.
        damping: ξ of eq. 5, which bounds the importance of parameters that hardly moved.
    """

    si_lambda: float = Field(default=1.0, ge=0)
    damping: PositiveFloat = 0.001


class RWalkSettings(Settings):
    """Riemannian walk (Chaudhry et al. 2018, arXiv 1801.10112, eqs. 6 to 8).

    Attributes:
        rwalk_lambda: the training loss gains ``rwalk_lambda / 2 · Σ_k (F_k + s_k) (θ_k − θ*_k)²``
            with both terms scaled to at most 1.
        fisher_share: α of eq. 6, weight of the latest batch in the running Fisher information.
        every: Δt, steps between two updates of the score s.
        damping: ε of eq. 7; the precision of float32, as in Avalanche.
    """

    rwalk_lambda: float = Field(default=1.0, ge=0)
    fisher_share: float = Field(default=0.9, gt=0, le=1)
    every: PositiveInt = 10
    damping: PositiveFloat = 2.0**-23


class LwFSettings(Settings):
    """Learning without forgetting, per pixel (Li & Hoiem 2016, arXiv 1606.09282).

    Attributes:
        alpha: weight of the distillation.
        temperature: T of the softmax of teacher and student (Hinton et al. 2015, arXiv 1503.02531).
    """

    alpha: float = Field(default=1.0, ge=0)
    temperature: PositiveFloat = 2.0


class L2Settings(Settings):
    """A pull towards the weights of the stage before, every weight alike.

    Attributes:
        l2_lambda: the training loss gains ``l2_lambda / 2 · Σ_k (θ_k − θ*_k)²``.
    """

    l2_lambda: float = Field(default=0.01, ge=0)


class FrozenEncoderSettings(Settings):
    """The encoder stays as the first scanner left it.

    Attributes:
        trains: the whole ``decoder``, or of it the ``head`` alone, the layer that gives the logits.
        encoder: regular expression of the beginning of the names of the parameters that stay; the
            default is right for the networks of the registry.
    """

    trains: Literal["decoder", "head"] = "decoder"
    encoder: str = ""

    @property
    def stays(self) -> str:
        """The expression, or its default."""
        return self.encoder or {"decoder": ENCODERS, "head": ALL_BUT_HEADS}[self.trains]

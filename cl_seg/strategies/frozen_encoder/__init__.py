"""Frozen encoder: the encoder stays as the first scanner left it; a control."""

from typing import Literal

from cl_seg.strategies.shared.encoder_names import ALL_BUT_HEADS, ENCODERS
from cl_seg.strategies.strategy import Settings, Strategy


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
    def frozen_names(self) -> str:
        """Regular expression of the beginning of the names of the frozen parameters."""
        return self.encoder or {"decoder": ENCODERS, "head": ALL_BUT_HEADS}[self.trains]


STRATEGY = Strategy(
    title="Frozen encoder",
    settings=FrozenEncoderSettings,
    plugin="cl_seg.strategies.frozen_encoder.plugin:FrozenEncoder",
    state_saved="not_needed",
)

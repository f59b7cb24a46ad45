"""Frozen encoder: the encoder stays as the first scanner left it; a control."""

from typing import Literal

from cl_seg.strategies.strategy import Settings, Strategy

ENCODERS = (
    r"in_tr|down_tr|vit\.|swinViT|encoder|convInit|down_layers|stem|enc_stages|down_blocks|bottleneck|"
    r"model\.(1\.submodule\.)*(0\.|1\.submodule\.(conv|residual))"
)
ALL_BUT_HEADS = (
    r"(?!out_tr\.conv2\.|model\.2\.(1|conv)\.|out\.|conv_final\.2\.|out_0\.|decoder\.seg_layers\.)"
)


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

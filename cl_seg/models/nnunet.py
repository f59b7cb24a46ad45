"""nnU-Net's U-Nets in 2D, from the package dynamic-network-architectures.

They return (B, classes, H, W) logits, and the coarser logits of deep supervision only where
:func:`cl_seg.runtime.deep_supervision.coarser_logits` asks for them.
"""

from collections.abc import Sequence

from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet
from dynamic_network_architectures.building_blocks.simple_conv_blocks import ConvDropoutNormReLU
from torch import Tensor, nn

RESIDUAL_BLOCKS = (1, 3, 4, 6, 6)
"""Of the first five levels of nnU-Net's residual encoder, of all its sizes."""


class DeeplySupervisedUNet(nn.Module):
    """A U-Net of nnU-Net with one tensor of logits as its output.

    Args:
        network: the U-Net, whose parts this takes over.

    Attributes:
        coarser: list that a forward pass adds its coarser logits to, finest first; None for not.
    """

    def __init__(self, network: PlainConvUNet | ResidualEncoderUNet) -> None:
        super().__init__()
        self.encoder, self.decoder = network.encoder, network.decoder
        self.coarser: list[Tensor] | None = None
        self.decoder.deep_supervision = True
        # The coarsest logits have weight 0 in nnU-Net's loss: a head that nothing would train.
        self.decoder.seg_layers[0] = nn.Identity()
        self._keep_one_name_per_parameter()

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) image → (B, out_channels, H, W) logits."""
        logits, *coarser = self.decoder(self.encoder(x))
        if self.coarser is not None:
            self.coarser += coarser[:-1]
        out: Tensor = logits
        return out

    def _keep_one_name_per_parameter(self) -> None:
        # A state dict would hold them up to four times, and what changes it in place changes them
        # as often.
        del self.decoder.encoder
        for block in self.modules():
            if isinstance(block, ConvDropoutNormReLU):
                for name in ("conv", "norm", "nonlin"):
                    if hasattr(block, name):
                        delattr(block, name)


def build_nnunet(
    in_channels: int, out_channels: int, image_size: int, channels: Sequence[int]
) -> nn.Module:
    """nnU-Net's plain U-Net (Isensee et al. 2021, doi 10.1038/s41592-020-01008-z).

    Args:
        in_channels: of the image.
        out_channels: classes including background.
        image_size: not used; every level but the first halves height and width.
        channels: of every level.
    """
    network = PlainConvUNet(
        in_channels,
        len(channels),
        channels,
        n_conv_per_stage=2,
        num_classes=out_channels,
        n_conv_per_stage_decoder=2,
        **_common(len(channels)),
    )
    return DeeplySupervisedUNet(network.apply(network.initialize))


def build_nnunet_resenc(
    in_channels: int, out_channels: int, image_size: int, channels: Sequence[int]
) -> nn.Module:
    """nnU-Net's U-Net with a residual encoder (Isensee et al. 2024, arXiv 2404.09556).

    Args:
        in_channels: of the image.
        out_channels: classes including background.
        image_size: not used; every level but the first halves height and width.
        channels: of every level, at most five.
    """
    network = ResidualEncoderUNet(
        in_channels,
        len(channels),
        channels,
        n_blocks_per_stage=RESIDUAL_BLOCKS[: len(channels)],
        num_classes=out_channels,
        n_conv_per_stage_decoder=1,
        **_common(len(channels)),
    )
    return DeeplySupervisedUNet(network.apply(network.initialize))


def _common(levels: int) -> dict[str, object]:
    return {
        "conv_op": nn.Conv2d,
        "kernel_sizes": 3,
        "strides": (1, *(2,) * (levels - 1)),
        "conv_bias": True,
        "norm_op": nn.InstanceNorm2d,
        "norm_op_kwargs": {"eps": 1e-5, "affine": True},
        "nonlin": nn.LeakyReLU,
        "nonlin_kwargs": {"inplace": True},
        "deep_supervision": True,
    }

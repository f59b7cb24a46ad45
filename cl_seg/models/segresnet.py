"""SegResNet of MONAI in 2D, returning (B, classes, H, W) logits."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from monai.networks.nets import SegResNet
from torch import nn


def build_segresnet(in_channels: int, out_channels: int, image_size: int, width: int) -> nn.Module:
    """SegResNet (Myronenko 2018, arXiv 1810.11654) without its autoencoder, four levels.

    Args:
        in_channels: of the image.
        out_channels: classes including background.
        image_size: not used; height and width must be multiples of 8.
        width: channels of the first level, a multiple of 8.
    """
    network: nn.Module = SegResNet(
        spatial_dims=2, init_filters=width, in_channels=in_channels, out_channels=out_channels
    )
    return network

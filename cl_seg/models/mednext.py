"""MedNeXt of MONAI in 2D, returning (B, classes, H, W) logits."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from monai.networks.nets import MedNeXt
from torch import nn


def build_mednext(in_channels: int, out_channels: int, image_size: int, width: int) -> nn.Module:
    """MedNeXt-S (Roy et al. 2023, arXiv 2303.09975) with 3² kernels, at any width.

    Args:
        in_channels: of the image.
        out_channels: classes including background.
        image_size: not used; height and width must be multiples of 16.
        width: channels of the first level; 32 in the paper.
    """
    network: nn.Module = MedNeXt(
        spatial_dims=2,
        init_filters=width,
        in_channels=in_channels,
        out_channels=out_channels,
        kernel_size=3,
        use_residual_connection=True,
    )
    return network

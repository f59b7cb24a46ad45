"""UNet, UNETR and Swin-UNETR of MONAI in 2D, returning (B, classes, H, W) logits.

None of them has an output activation or deep supervision in the form used here. UNETR fixes the
image size at construction; Swin-UNETR takes any multiple of 32.
"""

from collections.abc import Sequence

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from monai.networks.nets import UNETR, SwinUNETR, UNet
from torch import nn

from cl_seg.models.layers import use_faster_layers


def build_unet(
    in_channels: int,
    out_channels: int,
    image_size: int,
    channels: Sequence[int],
    norm: str = "instance",
) -> nn.Module:
    """Residual U-Net (Kerfoot et al. 2019).

    Args:
        in_channels: of the image.
        out_channels: classes including background.
        image_size: not used.
        channels: of every level.
        norm: ``instance`` as MONAI has it, without weights; ``instance_affine`` with weights and
            biases, as nnU-Net has it; or ``batch``.
    """
    affine = ("instance", {"affine": True})
    network = UNet(
        spatial_dims=2,
        in_channels=in_channels,
        out_channels=out_channels,
        channels=channels,
        strides=(2,) * (len(channels) - 1),
        num_res_units=2,
        norm=affine if norm == "instance_affine" else norm,
    )
    return use_faster_layers(network)


def build_unetr(
    in_channels: int,
    out_channels: int,
    image_size: int,
    hidden_size: int,
    feature_size: int,
    num_heads: int,
) -> nn.Module:
    """UNETR (Hatamizadeh et al. 2022, arXiv 2103.10504): 12 transformer layers on 16² patches."""
    network = UNETR(
        in_channels=in_channels,
        out_channels=out_channels,
        img_size=image_size,
        feature_size=feature_size,
        hidden_size=hidden_size,
        mlp_dim=4 * hidden_size,
        num_heads=num_heads,
        spatial_dims=2,
    )
    return use_faster_layers(network)


def build_swin_unetr(
    in_channels: int, out_channels: int, image_size: int, feature_size: int
) -> nn.Module:
    """Swin-UNETR (Hatamizadeh et al. 2022, arXiv 2201.01266)."""
    network = SwinUNETR(
        in_channels=in_channels,
        out_channels=out_channels,
        feature_size=feature_size,
        spatial_dims=2,
    )
    return use_faster_layers(network)

"""VNet in 2D from MONAI's blocks, at any width, with dropout that suits images.

MONAI's own ``VNet`` fixes the width at 16 and never forwards ``dropout_dim``: in 2D its
``Dropout3d`` sees a 4-D tensor as unbatched and zeroes whole samples. Here the same blocks are put
together with ``Dropout2d``. Layer names are MONAI's, so its weights load at width 16.
"""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from monai.networks.nets.vnet import (
    DownTransition,
    InputTransition,
    OutputTransition,
    UpTransition,
)
from torch import Tensor, nn

ELU = ("elu", {"inplace": True})


class VNet2d(nn.Module):
    """V-Net (Milletari et al. 2016, arXiv 1606.04797) for (B, C, H, W) images.

    Args:
        in_channels: channels of the image; must divide ``width``.
        out_channels: classes including background.
        width: channels of the first level; 16 in the paper.
        dropout: probability at the deep levels and on their skip connections.

    Height and width of the input must be multiples of 16. The output is (B, out_channels, H, W)
    logits; there is no output activation and no deep supervision.
    """

    def __init__(
        self, in_channels: int, out_channels: int, width: int = 16, dropout: float = 0.5
    ) -> None:
        super().__init__()
        w = width
        self.in_tr = InputTransition(2, in_channels, w, ELU)
        self.down_tr32 = DownTransition(2, w, 1, ELU)
        self.down_tr64 = DownTransition(2, 2 * w, 2, ELU)
        self.down_tr128 = DownTransition(2, 4 * w, 3, ELU, dropout, dropout_dim=2)
        self.down_tr256 = DownTransition(2, 8 * w, 2, ELU, dropout, dropout_dim=2)
        deep, shallow = (dropout, dropout), (None, dropout)
        self.up_tr256 = UpTransition(2, 16 * w, 16 * w, 2, ELU, deep, dropout_dim=2)
        self.up_tr128 = UpTransition(2, 16 * w, 8 * w, 2, ELU, deep, dropout_dim=2)
        self.up_tr64 = UpTransition(2, 8 * w, 4 * w, 1, ELU, shallow, dropout_dim=2)
        self.up_tr32 = UpTransition(2, 4 * w, 2 * w, 1, ELU, shallow, dropout_dim=2)
        self.out_tr = OutputTransition(2, 2 * w, out_channels, ELU)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) image → (B, out_channels, H, W) logits."""
        level1 = self.in_tr(x)
        level2 = self.down_tr32(level1)
        level3 = self.down_tr64(level2)
        level4 = self.down_tr128(level3)
        out = self.up_tr256(self.down_tr256(level4), level4)
        out = self.up_tr128(out, level3)
        out = self.up_tr64(out, level2)
        logits: Tensor = self.out_tr(self.up_tr32(out, level1))
        return logits


def build_vnet(
    in_channels: int, out_channels: int, image_size: int, width: int, norm: str = "batch"
) -> nn.Module:
    """Make a VNet; ``image_size`` does not matter to it.

    Args:
        in_channels: of the image.
        out_channels: classes including background.
        image_size: not used.
        width: channels of the first level.
        norm: ``batch`` as MONAI has it, or ``instance`` in every place of it.
    """
    network = VNet2d(in_channels, out_channels, width)
    if norm == "instance":
        _with_instance_norm(network)
    return network


def _with_instance_norm(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, name, nn.InstanceNorm2d(child.num_features, affine=True))
        else:
            _with_instance_norm(child)

"""Attention within the windows of Swin-UNETR, arranged so that matrix products are fast on a CPU.

With a few channels per head, a product with the tokens along its rows is three times as fast as
one with the channels there. Queries, keys, values and their gradients are (channels, tokens) here.
"""

from typing import Any

import torch
from monai.networks.nets.swin_unetr import WindowAttention
from torch import Tensor
from torch.autograd.function import once_differentiable


class TransposedWindowAttention(WindowAttention):  # type: ignore[misc]
    """MONAI's window attention (Liu et al. 2021, arXiv 2103.14030, equation 4)."""

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Softmax(QKᵀ / √d + B + mask) V of every window and head.

        Args:
            x: (images · windows, tokens, channels).
            mask: (windows, tokens, tokens), added before the softmax.

        Returns:
            (images · windows, tokens, channels).
        """
        batch, tokens, channels = x.shape
        heads = self.num_heads
        qkv = self.qkv(x).view(batch, tokens, 3, heads, channels // heads)
        q, k, v = qkv.permute(2, 0, 3, 4, 1).flatten(1, 2).unbind(0)
        scores = _Scores.apply(q * self.scale, k)  # type: ignore[no-untyped-call]
        bias = self._position_bias(tokens)
        if mask is not None:
            bias = bias + mask.unsqueeze(1)
        weights = (scores.view(-1, *bias.shape) + bias).softmax(-1).view_as(scores)
        weights = self.attn_drop(weights).to(v.dtype)
        out = _WeightedSum.apply(v, weights)  # type: ignore[no-untyped-call]
        out = out.view(batch, channels, tokens).transpose(1, 2)
        projected: Tensor = self.proj_drop(self.proj(out))
        return projected

    def _position_bias(self, tokens: int) -> Tensor:
        # (heads, tokens, tokens); a window smaller than the full one takes the corner of the index.
        index = self.relative_position_index[:tokens, :tokens].reshape(-1)
        table: Tensor = self.relative_position_bias_table[index].view(tokens, tokens, -1)
        return table.permute(2, 0, 1)


class _Scores(torch.autograd.Function):
    # qᵀk. Autograd's own gradient of q would have the channels along its rows.
    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor) -> Tensor:
        ctx.save_for_backward(q, k)
        return q.transpose(1, 2) @ k

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        q, k = ctx.saved_tensors
        return k @ gradient.transpose(1, 2), q @ gradient


class _WeightedSum(torch.autograd.Function):
    # v weightsᵀ. Autograd's own gradient of the weights would be transposed, and softmax copy it.
    @staticmethod
    def forward(ctx: Any, v: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(v, weights)
        return v @ weights.transpose(1, 2)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        v, weights = ctx.saved_tensors
        return gradient @ weights, gradient.transpose(1, 2) @ v

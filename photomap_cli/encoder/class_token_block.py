"""Owns the last block of a vision transformer that is read at its class token alone.  Child process only.

open_clip computes all tokens in the last block and drops all but the first.  The block's keys and values need every
token, its query, output projection and MLP don't: of a ViT-B-32-256 that is 7 % of the operations, and exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch.nn.functional as F
from open_clip.transformer import ResidualAttentionBlock, VisionTransformer
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

_PARTS = {"ln_1", "attn", "ls_1", "ln_2", "mlp", "ls_2"}


class ClassTokenBlock(ResidualAttentionBlock):  # type: ignore[misc]  # open_clip has no types
    """A block that returns its first token only; it has the parts of the given block, under the same names."""

    def __init__(self, block: ResidualAttentionBlock) -> None:
        nn.Module.__init__(self)
        for name, part in block.named_children():
            self.add_module(name, part)
        self.train(block.training)

    def forward(self, x: Tensor, k_x: None = None, v_x: None = None, attn_mask: None = None) -> Tensor:
        """Return (n, 1, width) of the tokens (n, tokens, width), each picture's own keys and values."""
        first: Tensor = x[:, 0]
        first = first + self.ls_1(self._attended(self.ln_1(x)))
        first = first + self.ls_2(self.mlp(self.ln_2(first)))
        return first.unsqueeze(1)

    def _attended(self, x: Tensor) -> Tensor:
        """Return what the first token attends to, (n, width); MultiheadAttention takes twice as long for one query."""
        count, tokens, width = x.shape
        heads, weight, bias = self.attn.num_heads, self.attn.in_proj_weight, self.attn.in_proj_bias
        query = F.linear(x[:, 0], weight[:width], bias[:width]).view(count, heads, 1, -1)
        both = F.linear(x.view(-1, width), weight[width:], bias[width:]).view(count, tokens, 2, heads, -1)
        key, value = both.permute(2, 0, 3, 1, 4)
        mixed: Tensor = self.attn.out_proj(F.scaled_dot_product_attention(query, key, value).view(count, width))
        return mixed


def use_where_enough(visual: Any) -> None:
    """Put a ClassTokenBlock last in an image tower, if it is open_clip's vision transformer and nothing else is read.

    Tensors, their names and results stay the same.
    """
    if type(visual) is VisionTransformer and _is_read_at_class_token(visual) and _is_plain(visual.transformer):
        visual.transformer.resblocks[-1] = ClassTokenBlock(visual.transformer.resblocks[-1])


def _is_read_at_class_token(visual: Any) -> bool:
    return visual.pool_type == "tok" and visual.attn_pool is None and not visual.output_tokens


def _is_plain(transformer: Any) -> bool:
    """Whether the last block computes what ClassTokenBlock does."""
    block = transformer.resblocks[-1]
    if type(block) is not ResidualAttentionBlock or {name for name, _ in block.named_children()} != _PARTS:
        return False
    attention = block.attn
    is_plain = type(attention) is nn.MultiheadAttention and attention._qkv_same_embed_dim and attention.batch_first
    has_more = attention.in_proj_bias is None or attention.bias_k is not None or attention.add_zero_attn
    return transformer.batch_first and is_plain and not has_more and not block._forward_hooks

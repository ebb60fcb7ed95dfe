"""A block of GPT-NeoX in PyTorch, for the peers of the benches."""

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """x + attention(norm x) + mlp(norm x), with rotary positions on a quarter of each head."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.turned = heads, width // heads // 4
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.dense = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def turn(self, x, cosines, sines):
        turned, rest = x[..., : self.turned], x[..., self.turned :]
        a, b = turned.chunk(2, -1)
        return torch.cat((turned * cosines + torch.cat((-b, a), -1) * sines, rest), -1)

    def forward(self, x, cosines, sines):
        sequences, length, width = x.shape
        heads = self.query_key_value(self.norm1(x)).view(sequences, length, self.heads, -1)
        query, key, value = heads.transpose(1, 2).chunk(3, -1)
        query, key = self.turn(query, cosines, sines), self.turn(key, cosines, sines)
        attended = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        attended = attended.transpose(1, 2).reshape(sequences, length, width)
        return x + self.dense(attended) + self.down(F.gelu(self.up(self.norm2(x))))

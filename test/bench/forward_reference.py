"""The forward pass of forward.bench.ts in PyTorch: shape on standard input, median milliseconds on standard output."""

import json
import statistics
import sys
import time

import torch
from model_reference_block import Block
from torch import nn
from torch.nn import functional as F


class Model(nn.Module):
    def __init__(self, width, layers, heads, context, vocabulary):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)
        turned = width // heads // 4
        angles = torch.outer(torch.arange(context), 1e4 ** (-torch.arange(0, turned, 2) / turned))
        angles = torch.cat((angles, angles), -1)
        self.cosines, self.sines = angles.cos(), angles.sin()

    def forward(self, ids, targets):
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x, self.cosines, self.sines)
        return F.cross_entropy(self.head(self.norm(x)).flatten(0, 1), targets.flatten())


shape = json.load(sys.stdin)
torch.set_num_threads(shape["threads"])
torch.manual_seed(0)
model = Model(*(shape[name] for name in ("width", "layers", "heads", "context", "vocabulary"))).eval()
tokens = torch.randint(0, shape["vocabulary"], (shape["sequences"], shape["context"] + 1))
times = []
with torch.inference_mode():
    for _ in range(4):
        start = time.perf_counter()
        # One sequence at a time, as ours.
        for row in tokens.split(1):
            model(row[:, :-1], row[:, 1:])
        times.append(1000 * (time.perf_counter() - start))
print(json.dumps({"library": f"PyTorch {torch.__version__}", "milliseconds": statistics.median(times[1:])}))

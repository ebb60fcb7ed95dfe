"""The training step of model.bench.ts in PyTorch: shapes on standard input, median milliseconds of each on standard output."""

import json
import statistics
import sys
import time

import torch
from model_reference_block import Block
from torch import nn
from torch.nn import functional as F


class Model(nn.Module):
    def __init__(self, width, layers, heads, context):
        super().__init__()
        self.embed = nn.Embedding(256, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 256, bias=False)
        turned = width // heads // 4
        angles = torch.outer(torch.arange(context), 1e4 ** (-torch.arange(0, turned, 2) / turned))
        angles = torch.cat((angles, angles), -1)
        self.cosines, self.sines = angles.cos(), angles.sin()

    def forward(self, ids, targets):
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x, self.cosines, self.sines)
        return F.cross_entropy(self.head(self.norm(x)).flatten(0, 1), targets.flatten())


def milliseconds(shape):
    width, layers, heads = shape["width"], shape["layers"], shape["heads"]
    model = Model(width, layers, heads, shape["context"])
    settings = {"betas": (0.9, 0.95), "weight_decay": 0.1, "fused": True}
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, **settings)
    tokens = torch.randint(0, 256, (shape["sequences"], shape["context"] + 1))
    times, end = [], 0
    while len(times) < 7 or time.perf_counter() < end:
        start = time.perf_counter()
        end = end or start + 2
        optimizer.zero_grad()
        model(tokens[:, :-1], tokens[:, 1:]).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[2:])


torch.set_num_threads(1)
torch.manual_seed(0)
times = [milliseconds(shape) for shape in json.load(sys.stdin)]
print(json.dumps({"library": f"PyTorch {torch.__version__}", "milliseconds": times}))

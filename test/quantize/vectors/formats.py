"""Writes formats.json: what PyTorch, and plain readings of the formats' definitions in it, give.

FP8 casts are PyTorch's own. MX follows microsoft/microxcaling (mx/mx_ops.py), NF4, FP4, double
quantization and int8 follow bitsandbytes (csrc/kernels.cu, functional.py), BitNet follows
huggingface/transformers (integrations/bitnet.py); written from their formulas, independently of the
TypeScript. Long results are kept as the SHA-256 of their bytes, with -0 written as 0, and of the restored scales every 16th is kept.
Run: python formats.py (needs torch). The tests do not need it.
"""
import hashlib
import json
import pathlib

import torch


def numbers(seed, count):
    """A linear congruential generator: 16-bit fractions from -0.5 to 0.5, the same in any language."""
    state = seed
    values = []
    for _ in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        values.append((state // 256 % 65536) / 65536 - 0.5)
    return torch.tensor(values)


def sha256(tensor):
    if tensor.is_floating_point():
        tensor = tensor + 0.0
    return hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest()


def fp8():
    """Codes of every finite float16, in the order of their bits; e4m3 saturates, e5m2 does not."""
    halves = torch.arange(65536, dtype=torch.int32).to(torch.uint16).view(torch.float16).float()
    halves = halves[torch.isfinite(halves)]
    types = {"fp8_e4m3": torch.float8_e4m3fn, "fp8_e5m2": torch.float8_e5m2}
    return {name: sha256(halves.to(t).view(torch.uint8)) for name, t in types.items()}


# Exponent bits, mantissa bits with sign and leading one, exponent of the greatest value, greatest.
MX = {f"mxint{b}": (0, b, 0, (2 ** (b - 1) - 1) / 2 ** (b - 2)) for b in range(2, 9)} | {
    "mxfp4": (2, 3, 2, 6), "mxfp6_e2m3": (2, 5, 2, 7.5), "mxfp6_e3m2": (3, 4, 4, 28),
    "mxfp8_e4m3": (4, 5, 8, 448), "mxfp8_e5m2": (5, 4, 15, 57344),
}


def mx_weights():
    """[64, 200]: sixteenths (many ties), all sizes in one block, subnormals, the greatest, zeros."""
    weights = numbers(1, 64 * 200).reshape(64, 200)
    weights[:16] = torch.floor(weights[:16] * 128) / 16
    weights[16:40] *= torch.exp2(torch.floor(numbers(2, 24 * 200) * 60)).reshape(24, 200)
    weights[40] *= 2.0**-126
    weights[41] *= 2.0**-140
    weights[42] *= 2.0**127
    weights[43] = weights[43] * 2.0**127 * 2  # 2^128 alone is beyond float32
    weights[44, :64] = 0
    return weights


def mx(weights, name, block, away):
    ebits, mbits, emax, greatest = MX[name]
    rows, columns = weights.shape
    x = torch.nn.functional.pad(weights.double(), (0, -columns % block)).reshape(rows, -1, block)
    largest = x.abs().amax(-1, keepdim=True)
    shared = torch.floor(torch.log2(torch.where(largest == 0, 2.0**-126, largest))) - emax
    scale = torch.exp2(shared.clamp(min=-127))
    x = x / scale
    step = torch.ones_like(x)
    if ebits > 0:
        exponent = torch.floor(torch.log2(torch.where(x == 0, 1.0, x.abs())))
        step = torch.exp2(exponent.clip(min=2 - 2 ** (ebits - 1)))
    x = x / step * 2 ** (mbits - 2)
    x = torch.sign(x) * torch.floor(x.abs() + 0.5) if away else torch.round(x)
    x = (x / 2 ** (mbits - 2) * step).clamp(-greatest, greatest) * scale
    return x.reshape(rows, -1)[:, :columns].float()


NF4 = [-0.8480964004993439, -0.6106329262256622, -0.4599952697753906, -0.33967943489551544,
       -0.23460740596055984, -0.13791173323988914, -0.045525018125772476, 0.03979014977812767,
       0.1202552504837513, 0.2035212516784668, 0.2920137718319893, 0.3893125355243683,
       0.5016634166240692, 0.6427869200706482, 0.8614784181118011]
FP4 = [0.00260417, 0.0859375, 0.20833333, 0.29166667, 0.4166667, 0.583333, 0.8333333]


def blocks(weights, block):
    x = weights.reshape(-1, block)
    largest = x.abs().amax(1, keepdim=True)
    return x * (1 / largest), largest.flatten()


def nf4_codes(weights, block):
    x, _ = blocks(weights, block)
    return (x[..., None] > torch.tensor(NF4)).sum(-1).to(torch.uint8).flatten()


def fp4_codes(weights, block):
    """Negative weights that become zero are given the code 0 here and not 8, which is -0."""
    x, _ = blocks(weights, block)
    level = (x.abs()[..., None] > torch.tensor(FP4)).sum(-1)
    codes = torch.tensor([0, 1, 6, 7, 4, 5, 2, 3])[level] + 8 * ((x < 0) & (level > 0))
    return codes.to(torch.uint8).flatten()


def dynamic_map():
    data = [0.0, 1.0]
    for i in range(7):
        edges = torch.linspace(0.1, 1, 2**i + 1)
        means = 10 ** (i - 6) * ((edges[:-1] + edges[1:]) / 2)
        data += means.tolist() + (-means).tolist()
    return torch.tensor(sorted(data))


def double(scales):
    code = dynamic_map()
    offset = scales.mean()
    codes, restored = [], []
    for part in (scales - offset).split(256):
        largest = part.abs().max()
        nearest = (part * (1 / largest))[:, None].sub(code).abs().argmin(-1)
        codes += nearest.tolist()
        restored += (code[nearest] * largest + offset).tolist()
    return {"codes": bytes(codes).hex(), "scales": [float(f"{v:.9g}") for v in restored[:256:16]]}


def int8(weights):
    largest = weights.abs().amax(1)
    codes = torch.round(weights * (127.0 / largest[:, None])).to(torch.int8)
    return {"codes": sha256(codes), "values": sha256(codes * largest[:, None] * 7.874015718698502e-3)}


def bitnet(weights, activations):
    size = weights.abs().mean()
    inverse = 1.0 / size.clamp(min=1e-5)
    ternary = torch.clamp(torch.round(weights * inverse), -1, 1) / inverse
    signs = torch.sign(weights - weights.mean()) * size
    s = 127 / activations.abs().amax(-1, keepdim=True).clamp(min=1e-5)
    values = torch.clamp(torch.round(activations * s), -128, 127) / s
    return {"b1.58": sha256(ternary), "b1": sha256(signs), "activations": sha256(values)}


layer = numbers(3, 64 * 256).reshape(64, 256)
result = {
    "torch": torch.__version__,
    "fp8": fp8(),
    "mx": {
        f"{name}:block={block},rounding={rounding}": sha256(
            mx(mx_weights(), name, block, rounding == "away"))
        for name in MX for block in (32, 128) for rounding in ("even", "away")
    },
    "nf4": {f"nf4:block={b}": sha256(nf4_codes(layer, b)) for b in (64, 128, 4096)},
    "fp4": {f"fp4:block={b}": sha256(fp4_codes(layer, b)) for b in (64, 128, 4096)},
    # Every fourth and the last: the map's values, in PyTorch's float32.
    "dynamicMap": [float(f"{v:.9g}") for v in dynamic_map().tolist()[3::4]],
    "double": double(numbers(4, 300) + 0.5),
    "int8": int8(layer),
    # 128 weights of 16 bits: their sums are exact in float32, in any order.
    "bitnet": bitnet(numbers(5, 128), layer),
}
path = pathlib.Path(__file__).with_name("formats.json")
path.write_text(json.dumps(result, indent=2) + "\n")

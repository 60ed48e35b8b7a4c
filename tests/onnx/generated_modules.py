"""Modules drawn by a seed: MLPs, CNNs, residual networks, encoders with decoders, transformers."""

import random
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

ACTIVATIONS = (
    nn.ReLU,
    nn.Tanh,
    nn.Sigmoid,
    nn.GELU,
    nn.ELU,
    nn.SiLU,
    nn.LeakyReLU,
    nn.Softplus,
    nn.ReLU6,
    nn.Hardswish,
    nn.SELU,
    nn.PReLU,
    nn.Softsign,
    nn.Mish,
    nn.Hardsigmoid,
)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A module, the shape of a row that it takes, and the lowest opset that can say it."""

    module: nn.Module
    shape: tuple[int, ...]
    lowest: int = 9


def mlp(draw):
    width, layers = draw.choice((3, 8, 17)), []
    shape = draw.choice(((5,), (1, 4, 4), (2, 9)))
    size = torch.Size(shape).numel()
    for _ in range(draw.randint(1, 4)):
        layers += [nn.Linear(size, width, bias=draw.random() < 0.8), draw.choice(ACTIVATIONS)()]
        norm = draw.choice((nn.BatchNorm1d, nn.LayerNorm, None, None))
        layers += [norm(width)] if norm else []
        layers += [nn.Dropout(0.5)] if draw.random() < 0.3 else []
        size = width
    last = draw.choice(([], [nn.Softmax(-1)], [nn.LogSoftmax(1)]))
    return Drawn(
        module=nn.Sequential(nn.Flatten(), *layers, nn.Linear(size, 4), *last), shape=shape
    )


def convolutions(draw, channels):
    """A convolution with what usually surrounds it, and how many channels come out."""
    out, stride, kernel = draw.choice((4, 8)), draw.choice((1, 1, 2)), draw.choice((1, 3, (3, 1)))
    padding = "same" if stride == 1 and draw.random() < 0.3 else draw.choice((1, 2))
    conv = nn.Conv2d(
        channels,
        out,
        kernel,
        stride=stride,
        padding=padding,
        dilation=1 if padding == "same" else draw.choice((1, 1, 2)),  # both: onnxruntime refuses
        groups=channels if out % channels == 0 and draw.random() < 0.3 else 1,
        bias=draw.random() < 0.7,
    )
    norm = draw.choice((nn.BatchNorm2d(out), nn.GroupNorm(2, out), nn.InstanceNorm2d(out), None))
    pool = draw.choice(
        (
            nn.MaxPool2d(2, ceil_mode=True),
            nn.MaxPool2d(3, stride=1, padding=1),
            nn.AvgPool2d(2, stride=1),
            nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=draw.random() < 0.5),
            nn.ZeroPad2d((1, 0, 2, 1)),
            nn.ReflectionPad2d(1),
            None,
            None,
        )
    )
    parts = [conv, norm, draw.choice(ACTIVATIONS)(), pool]
    return [part for part in parts if part is not None], out


def cnn(draw):
    channels, size = draw.choice((1, 3)), draw.choice((12, 17))
    shape, layers = (channels, size, size), []
    for _ in range(draw.randint(1, 3)):
        found, channels = convolutions(draw, channels)
        layers += found
    pool = draw.choice((nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1)))
    layers += [pool, nn.Flatten(), nn.Linear(channels, 5)]
    return Drawn(module=nn.Sequential(*layers), shape=shape)


class Residual(nn.Module):
    def __init__(self, channels, out, stride, activation):
        super().__init__()
        self.first = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(out)
        self.second = nn.Conv2d(out, out, 3, padding=1)
        self.short = nn.Conv2d(channels, out, 1, stride)
        self.activation = activation

    def forward(self, x):
        out = self.second(self.activation(self.norm(self.first(x))))
        return self.activation(out + self.short(x))


def residual(draw):
    channels, layers = 3, []
    for _ in range(draw.randint(1, 3)):
        out = draw.choice((4, 6))
        layers.append(Residual(channels, out, draw.choice((1, 2)), draw.choice(ACTIVATIONS)()))
        channels = out
    layers += [nn.AvgPool2d(2), nn.Flatten(), nn.LazyLinear(4)]
    return Drawn(module=nn.Sequential(*layers), shape=(3, 16, 16))


class Decoder(nn.Module):
    """Down and up again, joined with what was there before; then a score a channel."""

    def __init__(self, up, gate):
        super().__init__()
        self.down = nn.Conv2d(2, 4, 3, stride=2, padding=1)
        self.up = up
        self.gate = gate

    def forward(self, x):
        small = torch.relu(self.down(x))
        joined = torch.cat([x, self.up(small)], dim=1)
        halves = joined[:, :, 1:, ::2].chunk(2, dim=1)
        scaled = halves[0] * torch.sigmoid(halves[1]) if self.gate else halves[0].abs() + 1
        return scaled.pow(2).mean(dim=(2, 3)).clamp(min=0.01).sqrt()


def decoder(draw):
    up = draw.choice(
        (
            nn.ConvTranspose2d(4, 4, 2, stride=2),
            nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1, output_padding=1),
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Upsample(scale_factor=2, mode="bilinear"),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
            nn.Sequential(nn.Conv2d(4, 16, 1), nn.PixelShuffle(2)),
        )
    )
    return Drawn(module=Decoder(up, draw.random() < 0.5), shape=(2, 8, 8), lowest=11)


class Attention(nn.Module):
    """Self-attention, written out, or by torch's own function."""

    def __init__(self, width, heads, written_out):
        super().__init__()
        self.heads, self.written_out = heads, written_out
        self.mixed = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        n, length, width = x.shape
        mixed = self.mixed(x).reshape(n, length, 3, self.heads, width // self.heads)
        q, k, v = mixed.permute(2, 0, 3, 1, 4).unbind(0)
        if self.written_out:
            weights = (q @ k.transpose(-2, -1) / (width // self.heads) ** 0.5).softmax(-1)
            found = weights @ v
        else:
            found = functional.scaled_dot_product_attention(q, k, v)
        return self.out(found.transpose(1, 2).reshape(n, length, width))


class Block(nn.Module):
    def __init__(self, width, heads, written_out, activation):
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, written_out)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), activation, nn.Linear(2 * width, width)
        )

    def forward(self, x):
        x = x + self.attention(self.before(x))
        return x + self.mlp(self.between(x))


class ViT(nn.Module):
    def __init__(self, width, blocks, with_class):
        super().__init__()
        self.patches = nn.Conv2d(1, width, 4, stride=4)
        self.start = nn.Parameter(torch.randn(1, 1, width)) if with_class else None
        self.places = nn.Parameter(torch.randn(1, 4 + with_class, width))
        self.blocks = nn.Sequential(*blocks)
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 4)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        if self.start is not None:
            x = torch.cat([self.start.expand(x.shape[0], -1, -1), x], dim=1)
        x = self.norm(self.blocks(x + self.places))
        return self.head(x.mean(1) if self.start is None else x[:, 0])


def vit(draw):
    width, heads = draw.choice(((8, 2), (12, 3)))
    written_out = draw.random() < 0.5
    blocks = [
        Block(width, heads, written_out, draw.choice((nn.GELU(), nn.ReLU(), nn.GELU("tanh"))))
        for _ in range(draw.randint(1, 2))
    ]
    module = ViT(width, blocks, with_class=draw.random() < 0.5)
    return Drawn(module=module, shape=(1, 8, 8), lowest=9 if written_out else 14)


FAMILIES = (mlp, cnn, residual, decoder, vit)


def drawn(seed):
    """The module of a seed, in evaluation mode, with statistics that are not 0 and 1."""
    draw = random.Random(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        found = FAMILIES[seed % len(FAMILIES)](draw)
        with torch.no_grad():
            found.module(torch.randn(4, *found.shape))  # gives lazy and normal layers their state
    found.module.eval().requires_grad_(False)
    return found

"""What contracts run on: tiny exact models that count all that passes through them."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from pellucid.box.torch_box import TorchBox
from pellucid.goals import misled
from pellucid.models.integer_net import GRID, IntegerNet
from pellucid.shapes import Batch, Labels, Verdicts
from pellucid.spec import Dense, Image, OneClass, Spec, Vector

CLASSES = 2


class Tally:
    """What went through a model, whoever sent it; copies of the model share it."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.asked: list[Tensor] = []  # the inputs of each pass, in order
        self.gradients = 0  # rows that went backwards

    @property
    def rows(self) -> int:
        """How many rows went forwards."""
        return sum(map(len, self.asked))

    def clear(self) -> None:
        """Forget what went through before."""
        self.asked.clear()
        self.gradients = 0

    def backwards(self, gradient: Tensor) -> None:
        """Count the rows of a gradient."""
        self.gradients += len(gradient)

    def __deepcopy__(self, memo: dict[int, object]) -> "Tally":
        return self


class Turnstile(nn.Module):
    """A first layer that flattens rows and counts them; no way into the model goes round it."""

    def __init__(self, tally: Tally) -> None:
        """Write to `tally`, which is no part of the weights."""
        super().__init__()
        self.tally = tally

    def forward(self, x: Tensor) -> Tensor:
        """The rows flattened."""
        self.tally.asked.append(x.detach().clone())
        flat = x.flatten(1).clone()  # a tensor of its own, so that the hook is not the caller's
        if flat.requires_grad:
            flat.register_hook(self.tally.backwards)
        return flat


class Patchy(nn.Module):
    """A model whose answers are another's in stripes of the first input value."""

    def __init__(self, inner: nn.Module, scale: float, shift: tuple[float, ...]) -> None:
        """In a stripe the logits are scaled and shifted."""
        super().__init__()
        self.inner, self.scale, self.shift = inner, scale, shift

    def forward(self, x: Tensor) -> Tensor:
        """The logits."""
        logits, stripe = self.inner(x), stripes(x)[:, None]
        # by factors of each row: what torch.where leaves out would still spoil the gradients
        scale = torch.where(stripe, self.scale, 1.0).to(logits)
        return logits * scale + stripe * logits.new_tensor(self.shift)


class MapNet(nn.Module):
    """A convolution of images of 4 x 4 into maps of 2 x 2, ReLU, and a linear layer.

    As with IntegerNet all sums are of whole numbers, or of multiples of a power of two.
    """

    def __init__(self, turnstile: Turnstile) -> None:
        """Draw the weights from a generator of their own."""
        super().__init__()
        rng = torch.Generator().manual_seed(0)
        self.turnstile = turnstile
        self.convolution = nn.Conv2d(1, 4, kernel_size=2, stride=2, bias=False, device="meta")
        self.convolution.weight = _whole(torch.randint(-2, 3, (4, 1, 2, 2), generator=rng))
        self.relu = nn.ReLU()
        self.linear = nn.Linear(16, CLASSES, bias=False, device="meta")
        self.linear.weight = _whole(torch.randint(-2, 3, (CLASSES, 16), generator=rng))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of images (n, 1, 4, 4)."""
        scaled = GRID * self.turnstile(x).unflatten(1, (1, 4, 4))
        whole = scaled.detach().round() + (scaled - scaled.detach())
        maps = self.relu(self.convolution(whole - GRID // 2))
        return self.linear(maps.flatten(1)) / GRID


def _whole(weight: Tensor) -> nn.Parameter:
    return nn.Parameter(weight.to(torch.get_default_dtype()))


def stripes(x: Batch) -> Verdicts:
    """Where a Patchy model gives its other answer."""
    return (x.flatten(1)[:, 0] * 64).floor() % 2 == 1


@dataclass(frozen=True, eq=False, kw_only=True)
class Subject:
    """A model in a box, what went through it, and rows that it gets right."""

    module: nn.Module
    box: TorchBox
    tally: Tally
    x: Batch
    y: Labels

    @property
    def goal(self) -> misled:
        """Any other class."""
        return misled(self.y)


def subject(
    *,
    shape: tuple[int, ...] = (1, 4, 4),
    rows: int = 4,
    bounds: tuple[float, float] = (0.0, 1.0),
    dtype: torch.dtype = torch.float32,
    pad: int = 1,
    seed: int = 0,
) -> Subject:
    """A network in whole numbers, whose answers are the same bits in any company."""
    tally = Tally()
    net = IntegerNet(shape=shape, classes=CLASSES, seed=seed).to(dtype)
    net.set_submodule("flatten", Turnstile(tally))
    return _inhabit(net, tally, Vector(shape=shape, low=bounds[0], high=bounds[1]), rows, pad)


def pictures(
    *,
    rows: int = 4,
    bounds: tuple[float, float] = (0.0, 1.0),
    dtype: torch.dtype = torch.float32,
    pad: int = 1,
) -> Subject:
    """A convolutional network in whole numbers, on images of 4 x 4."""
    tally = Tally()
    net = MapNet(Turnstile(tally)).to(dtype)
    return _inhabit(net, tally, Image(shape=(1, 4, 4), low=bounds[0], high=bounds[1]), rows, pad)


def silent_pictures() -> Subject:
    """The same network, but it answers NaN in stripes: the last of the rows stands in one."""
    whole = pictures(rows=100)
    stripe = stripes(whole.x)
    chosen = torch.cat([(~stripe).nonzero()[:4, 0], stripe.nonzero()[:1, 0]])
    module = Patchy(whole.module, torch.nan, (0.0,) * CLASSES)
    box = TorchBox(module=module, spec=whole.box.spec, pad=1)
    return replace(whole, module=module, box=box, x=whole.x[chosen], y=whole.y[chosen])


def silent_subject() -> Subject:
    """A network that answers NaN in stripes."""
    return _striped(torch.nan, (0.0,) * CLASSES)


def stubborn_subject() -> Subject:
    """The same network and rows, but it says the rows' class in the stripes."""
    return _striped(0.0, (1.0,) + (0.0,) * (CLASSES - 1))


def _striped(scale: float, shift: tuple[float, ...]) -> Subject:
    """Five rows of class 0 that are clear of the stripes, and one that is not."""
    whole = subject(rows=100)
    stripe = stripes(whole.x)
    x = torch.cat(
        [whole.x[(whole.y == 0) & ~stripe][:5], whole.x[(whole.y == 0) & stripe][:1]],
    )
    module = Patchy(whole.module, scale, shift)
    return Subject(
        module=module,
        box=TorchBox(module=module, spec=whole.box.spec, pad=1),
        tally=whole.tally,
        x=x,
        y=torch.zeros(len(x), dtype=torch.long),
    )


def _inhabit(module: nn.Module, tally: Tally, source: Dense, rows: int, pad: int) -> Subject:
    """Draw rows of which the model gives as many to each class, and take its word for them."""
    box = TorchBox(module=module, spec=Spec(input=source, answer=OneClass(size=CLASSES)), pad=pad)
    draws = torch.rand(50 * rows, *source.shape, generator=torch.Generator().manual_seed(1))
    draws = draws.to(next(module.parameters()))
    said = box.labels(draws)
    each = [draws[said == c][: -(-rows // CLASSES)] for c in range(CLASSES)]
    x = torch.cat(each)[:rows]
    y = box.labels(x)
    box.calls = box.rows = box.padding = 0
    tally.clear()
    return Subject(module=module, box=box, tally=tally, x=x, y=y)

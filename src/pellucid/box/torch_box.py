"""A torch module as a box: preprocessing, padding, modes and counts in one place."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import torch
import xxhash
from torch import Tensor, nn

from pellucid.errors import UserError
from pellucid.rows import Rows, chunks, flat
from pellucid.shapes import LabelAnswer, ScoreAnswer
from pellucid.spec import INVALID, LabelSet, Spec

Emits = Literal["logits", "probabilities", "label", "values"]
Layout = Literal["chw", "hwc"]


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """What is done to an input, in the user's units, before the module sees it."""

    mean: tuple[float, ...] = (0.0,)  # one, or one a channel
    std: tuple[float, ...] = (1.0,)  # one, or one a channel
    layout: Layout = "chw"  # the order of axes that the module wants

    def __post_init__(self) -> None:
        if not self.mean or not self.std or min(self.std) <= 0:
            raise UserError(
                "Mean and std take one number, or one a channel, and each std must be positive: "
                f"they are {self.mean} and {self.std}."
            )

    def __call__(self, x: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Normalise and lay out x (n, *shape); differentiable."""
        for name, numbers in (("mean", self.mean), ("std", self.std)):
            if len(numbers) not in (1, shape[0]):
                raise UserError(
                    f"The {name} has {len(numbers)} numbers, but the input has {shape[0]} "
                    "channels: give one number, or one a channel."
                )
        if (self.mean, self.std) != ((0.0,), (1.0,)):
            ones = [1] * (len(shape) - 1)
            mean, std = x.new_tensor(self.mean), x.new_tensor(self.std)
            x = (x - mean.reshape(-1, *ones)) / std.reshape(-1, *ones)
        return x.movedim(1, -1) if self.layout == "hwc" else x


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """The module in evaluation mode, and afterwards each part in the mode it was found in."""
    training = [part for part in module.modules() if part.training]
    for part in training:
        part.training = False
    try:
        yield
    finally:
        for part in training:
            part.training = True


def digest(module: nn.Module) -> str:
    """A hash of the module's class, text, weights and buffers."""
    state = xxhash.xxh3_128(f"{type(module).__module__}.{module!r}".encode())
    for name, value in module.state_dict().items():
        state.update(f"{name}{tuple(value.shape)}{value.dtype}".encode())
        state.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return state.hexdigest()


@dataclass(eq=False, kw_only=True)
class TorchBox:
    """A module that answers questions; grants everything (a view narrows it)."""

    module: nn.Module = field(repr=False)
    spec: Spec
    emits: Emits = "logits"
    evidence: str = "declared"  # how it is known what the module emits
    preprocessing: Preprocessing = Preprocessing()
    pad: int = 4  # a call's rows are padded to a multiple: their bits then ignore its size
    calls: int = 0  # passes made
    rows: int = 0  # rows sent through, padding apart
    padding: int = 0  # rows sent to fill calls up

    def __getitem__(self, rows: Tensor) -> "TorchBox":
        return self

    def labels(self, x: Rows) -> LabelAnswer:
        """What the module decides for x (*probes, rows, *shape): (*probes, rows)."""
        with torch.no_grad():
            if self.emits == "label":
                return self._ask(x).round().nan_to_num(INVALID, INVALID, INVALID).long()[..., 0]
            return self.spec.answer.labels(self.logits(x))

    def scores(self, x: Rows) -> ScoreAnswer:
        """Log-probabilities (*probes, rows, outputs)."""
        with torch.no_grad():
            return self.spec.answer.scores(self.logits(x))

    def logits(self, x: Rows) -> ScoreAnswer:
        """Raw outputs (*probes, rows, outputs), differentiable by x; log-odds of probabilities."""
        out = self._ask(x)
        if self.emits == "label":
            raise UserError("This model emits labels alone: open it with access='label'.")
        if self.emits != "probabilities":
            return out
        tiny = torch.finfo(out.dtype).tiny
        log = out.clamp_min(tiny).log()
        return (
            log - (1 - out).clamp_min(tiny).log() if isinstance(self.spec.answer, LabelSet) else log
        )

    def fingerprint(self) -> str:
        """A hash of the weights and of how the module is used."""
        return xxhash.xxh3_128_hexdigest(
            f"{digest(self.module)}{self.spec.input}{self.spec.answer}"
            f"{self.emits}{self.preprocessing}{self.pad}".encode()
        )

    def _ask(self, x: Rows) -> Tensor:
        """The module's outputs for x, in calls of at most spec.rows_per_call rows."""
        lead = self.spec.input.lead(x)
        rows = flat(x, len(lead) - 1)
        outputs = [self._call(part) for part in chunks(rows, self.spec.rows_per_call)]
        out = outputs[0] if len(outputs) == 1 else torch.cat(outputs)
        return out.reshape(*lead, *out.shape[1:])

    def _call(self, x: Rows) -> Tensor:
        """One pass: pad, preprocess, evaluate, and take the answer back."""
        n = len(x)
        short = -n % self.pad
        self.calls, self.rows, self.padding = self.calls + 1, self.rows + n, self.padding + short
        if short:
            x = x[torch.arange(n + short).clamp_max(n - 1)]
        with evaluating(self.module):
            out = self.module(*self._arguments(x))
        if self._width == 1 and isinstance(out, Tensor) and out.ndim == 1:
            out = out[:, None]
        if not isinstance(out, Tensor) or out.shape != (n + short, self._width):
            got = tuple(out.shape) if isinstance(out, Tensor) else f"a {type(out).__name__}"
            raise UserError(
                f"The model answered {got} where a tensor of shape ({n + short}, {self._width}) "
                "was due: wrap it so that it returns that alone."
            )
        return out[:n]

    @property
    def _width(self) -> int:
        return 1 if self.emits == "label" else self.spec.answer.size

    def _arguments(self, x: Rows) -> tuple[Tensor, ...]:
        """What the module is called with, where and as precise as its weights are."""
        weight = next((w for w in self.module.parameters() if w.is_floating_point()), None)
        if not isinstance(x, Tensor):
            return x.arguments()
        if weight is not None:
            x = x.to(weight)
        return (self.preprocessing(x, self.spec.dense().shape),)

"""A torch module as a box."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
import xxhash
from torch import Tensor, nn

from pellucid.box.model_box import ModelBox
from pellucid.box.outputs import as_logits
from pellucid.rows import Rows
from pellucid.shapes import ScoreAnswer


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
class TorchBox(ModelBox):
    """A module that answers questions; grants everything (a view narrows it)."""

    module: nn.Module = field(repr=False)
    pad: int = 4  # a call's bits then ignore how many rows it carries

    def logits(self, x: Rows) -> ScoreAnswer:
        """Raw outputs (*probes, rows, outputs), differentiable by x; log-odds of probabilities."""
        return as_logits(self._ask(x), self.emits, self.spec.answer)

    def fingerprint(self) -> str:
        """A hash of the weights and of how the module is used."""
        return xxhash.xxh3_128_hexdigest(
            f"{digest(self.module)}{self.spec.input}{self.spec.answer}"
            f"{self.emits}{self.preprocessing}{self.pad}".encode()
        )

    def _answer(self, x: Rows) -> Tensor | object:
        with evaluating(self.module):
            return self.module(*self._arguments(x))

    def _arguments(self, x: Rows) -> tuple[Tensor, ...]:
        """What the module is called with, where and as precise as its weights are."""
        if not isinstance(x, Tensor):
            return x.arguments()
        weight = next((w for w in self.module.parameters() if w.is_floating_point()), x)
        return (self.preprocessing(x.to(weight), self.spec.dense().shape),)

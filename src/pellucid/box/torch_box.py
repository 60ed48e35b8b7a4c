"""A torch module as a box."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
import xxhash
from torch import Tensor, nn

from pellucid.box.model_box import ModelBox
from pellucid.box.outputs import as_logits
from pellucid.rows import Rows, chunks
from pellucid.shapes import ScoreAnswer

# On a CPU a pass of many rows falls out of the caches: passes of about so many numbers take half
# the time. Labels and scores are asked so; logits in one pass, for whoever watches the layers must
# see the whole of what was asked.
NUMBERS_A_PASS = 2**17
FEWEST_ROWS = 16


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
            outputs = [self.module(*self._arguments(part)) for part in chunks(x, self._at_once(x))]
        whole = all(isinstance(output, Tensor) and output.ndim for output in outputs)
        return torch.cat(outputs) if whole and len(outputs) > 1 else outputs[0]

    def _at_once(self, x: Rows) -> int:
        """How many rows go through the module together."""
        watched = torch.is_grad_enabled()
        if watched or not isinstance(x, Tensor) or self._weight(x).device.type != "cpu":
            return len(x)
        rows = max(FEWEST_ROWS, NUMBERS_A_PASS // x[0].numel())
        return rows - rows % self.pad

    def _weight(self, x: Tensor) -> Tensor:
        """A tensor as precise as the weights are, and where they are."""
        return next((w for w in self.module.parameters() if w.is_floating_point()), x)

    def _arguments(self, x: Rows) -> tuple[Tensor, ...]:
        """What the module is called with, where and as precise as its weights are."""
        if not isinstance(x, Tensor):
            return x.arguments()
        return (self.preprocessing(x.to(self._weight(x)), self.spec.dense().shape),)

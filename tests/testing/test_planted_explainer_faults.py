"""Each fault that an explainer can have, planted, and the check that must catch it.

The faulty explainers differ by a line or two from an honest one, which keeps the whole contract.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch

from pellucid.box.protocols import GradBox, ScoreBox, WhiteBox
from pellucid.explain.attribution import Attribution
from pellucid.explain.targets import Target
from pellucid.rng import Streams
from pellucid.shapes import Batch
from pellucid.testing import _explainer_conduct as conduct
from pellucid.testing import explainer
from pellucid.testing.explainer import EXPLAINER_CHECKS


@dataclass(frozen=True, kw_only=True)
class Nudge:
    """Say how the target changes when all values are nudged at once.

    Source: Nobody et al., a test 2024.
    Needs: ScoreBox; explains log-probabilities.
    Cost: one query a row, and one for each nudge.
    Differs: in nothing.
    """

    nudges: int = 8  # random directions
    width: float = 0.2  # of a nudge, in the user's units

    def __call__(
        self, box: ScoreBox, x: Batch, target: Target, rng: Streams
    ) -> Iterator[Attribution]:
        """Yield after each nudge."""
        values, before = torch.zeros_like(x), target(self._ask(box, x))
        for _ in range(self.nudges):
            z = self._near(box, x, self._noise(x, rng))
            change = (target(self._ask(box, z)) - before).to(x)
            values = values + change.reshape(-1, *[1] * (x.ndim - 1)) * (z - x)
            yield Attribution(values=self._finish(values))

    def _ask(self, box: ScoreBox, z: Batch) -> torch.Tensor:
        return box.scores(z)

    def _noise(self, x: Batch, rng: Streams) -> Batch:
        return self.width * rng.normal(1, x.shape[1:])[0]

    def _near(self, box: ScoreBox, x: Batch, noise: Batch) -> Batch:
        return box.spec.clamp(x + noise)

    def _finish(self, values: Batch) -> Batch:
        return values


@dataclass(frozen=True, kw_only=True)
class Slope:
    """Say which way the target climbs.

    Source: Nobody et al., a test 2024.
    Needs: WhiteBox; explains logits.
    Cost: one query and one gradient a row.
    Differs: in nothing.
    """

    def __call__(self, box: WhiteBox, x: Batch, target: Target) -> Iterator[Attribution]:
        """Yield the gradient."""
        z = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(target(self._ask(box, z)).sum(), z)
        yield Attribution(values=gradient)

    def _ask(self, box: WhiteBox, z: Batch) -> torch.Tensor:
        return box.logits(z)


HONEST = (Nudge(), Slope())


@pytest.mark.parametrize("method", HONEST, ids=lambda method: type(method).__name__)
@pytest.mark.parametrize("check", EXPLAINER_CHECKS, ids=lambda check: check.__name__)
def test_the_honest_keep_the_contract(check, method):
    check(method)


@dataclass(frozen=True, kw_only=True)
class Demanding:
    """Asks for a goal, which belongs to attacks."""

    def __call__(self, box: GradBox, goal: Batch) -> Iterator[Attribution]:
        yield Attribution(values=box.spec.clamp(goal))


class Global(Nudge):
    """Draws from the global generator."""

    def _noise(self, x, _rng):
        return self.width * torch.randn_like(x)


class Unseeded(Nudge):
    """Draws the same whatever the seed."""

    def _noise(self, x, _rng):
        own = torch.Generator().manual_seed(0)
        return self.width * torch.randn(x.shape[1:], generator=own).to(x).expand(x.shape)


class Straying(Nudge):
    """Leaves the bounds."""

    def _near(self, _box, x, noise):
        return x + noise


class Scaled(Nudge):
    """Scales by the greatest value of the batch."""

    def _finish(self, values):
        return values / values.abs().max().clamp_min(1e-9)


class Double(Nudge):
    """Gives another precision."""

    def _finish(self, values):
        return values.double()


class Images(Nudge):
    """Takes images alone."""

    def _finish(self, values):
        return values - values.mean((1, 2, 3), keepdim=True)


class Infinite(Nudge):
    """Divides by nothing."""

    def _finish(self, values):
        return values / 0


class Peeking(Nudge):
    """Asks the box behind the window."""

    def _ask(self, box, z):
        box._asker.box.scores(z)
        return box.scores(z)


class Remembering(Nudge):
    """Keeps state in itself."""

    def _ask(self, box, z):
        object.__setattr__(self, "seen", len(z))
        return box.scores(z)


class Forwarding(Slope):
    """Calls the module's forward, which no hook sees."""

    def _ask(self, box, z):
        return box.module.forward(z.to(next(box.module.parameters())))


class Hooking(Slope):
    """Leaves a hook behind."""

    def _ask(self, box, z):
        box.module.register_forward_hook(lambda *_: None)
        return box.logits(z)


class Accumulating(Slope):
    """Leaves gradients in the weights."""

    def _ask(self, box, z):
        out = box.logits(z)
        out.sum().backward(retain_graph=True)
        return out


class Tuning(Slope):
    """Changes the weights."""

    def _ask(self, box, z):
        with torch.no_grad():
            next(box.module.parameters()).add_(1)
        return box.logits(z)


FAULTS = (
    (Demanding(), explainer.check_signature),
    (Global(), explainer.check_same_seed),
    (Unseeded(), explainer.check_other_seed),
    (Straying(), conduct.check_stays_inside),
    (Scaled(), explainer.check_row_alone),
    (Double(), explainer.check_precision),
    (Images(), explainer.check_any_shape),
    (Infinite(), explainer.check_any_shape),
    (Peeking(), explainer.check_ledger),
    (Peeking(), explainer.check_budgets),
    (Remembering(), conduct.check_leaves_no_trace),
    (Forwarding(), explainer.check_ledger),
    (Hooking(), conduct.check_leaves_no_trace),
    (Accumulating(), conduct.check_leaves_no_trace),
    (Tuning(), conduct.check_leaves_no_trace),
)


@pytest.mark.parametrize(
    ("method", "check"),
    [
        pytest.param(method, check, id=f"{type(method).__name__}-{check.__name__}")
        for method, check in FAULTS
    ],
)
def test_a_fault_is_caught(method, check):
    with pytest.raises(AssertionError, match=type(method).__name__):
        check(method)

"""Each fault that an attack can have, planted, and the check that must catch it.

The faulty attacks differ by a line or two from an honest one, which keeps the whole contract.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from pellucid.ball import Ball, spread
from pellucid.box.protocols import GradBox, LabelBox, WhiteBox
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch
from pellucid.testing import _books, _conduct, _rows, attack, values
from pellucid.testing.attack import ATTACK_CHECKS

SPACE, WIDE, NARROW = Ball("l2"), Ball("l2", 1.5), Ball("l2", 1.0)


@dataclass(frozen=True, kw_only=True)
class Shake:
    """Ask about random points of ever larger balls.

    Source: Nobody et al., a test 2024.
    Needs: LabelBox.
    Cost: one query a row and step.
    Differs: in nothing.
    """

    ball: Ball = WIDE  # the largest
    steps: int = 8  # balls

    def __call__(self, box: LabelBox, x: Batch, rng: Streams) -> Iterator[Batch]:
        """Yield what was asked last."""
        for step in range(1, self.steps + 1):
            z = self._near(box, x, self._noise(x, rng), step)
            self._ask(box, z)
            yield z

    def _noise(self, x: Batch, rng: Streams) -> Batch:
        return self.ball.sample(rng, x) - x

    def _near(self, box: LabelBox, x: Batch, noise: Batch, step: int) -> Batch:
        return box.spec.clamp(x + noise * (step / self.steps))

    def _ask(self, box: LabelBox, z: Batch) -> None:
        box.labels(z)


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Start at a point that meets the goal and go half the way to x as long as it does.

    Source: Nobody et al., a test 2024.
    Needs: LabelBox; a start.
    Cost: one query a row and step.
    Differs: in nothing.
    """

    ball: Ball = SPACE  # what is near
    steps: int = 8  # halvings

    def __call__(self, box: LabelBox, goal: Goal, x: Batch, start: Batch) -> Iterator[Batch]:
        """Yield the nearest so far."""
        z, share = start, torch.full((len(x),), 0.5).to(x)
        for _ in range(self.steps):
            middle = x + spread(1 - share, x) * (z - x)
            met = self._met(box, goal, middle)
            z = torch.where(spread(met, x), middle, z)
            share = torch.where(met, share, share / 2)
            yield z

    def _met(self, box: LabelBox, goal: Goal, z: Batch) -> torch.Tensor:
        return goal(box.labels(z))


@dataclass(frozen=True, kw_only=True)
class Climb:
    """Follow the gradient inside the ball.

    Source: Nobody et al., a test 2024.
    Needs: GradBox.
    Cost: one query and one gradient a row and step.
    Differs: in nothing.
    """

    ball: Ball = NARROW  # where to stay
    steps: int = 5  # steps, of a quarter of the radius

    def __call__(self, box: GradBox, goal: Goal, x: Batch) -> Iterator[Batch]:
        """Yield each iterate."""
        z = x
        for _ in range(self.steps):
            z = z.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(goal.loss(box.logits(z)).sum(), z)
            z = z.detach() + self._step(gradient)
            z = box.spec.clamp(self.ball.project(z, x))
            yield z

    def _step(self, gradient: Batch) -> Batch:
        return 0.25 * self.ball.steepest(gradient.nan_to_num(0, 0, 0))


@dataclass(frozen=True, kw_only=True)
class Look:
    """Follow the gradient of the network itself.

    Source: Nobody et al., a test 2024.
    Needs: WhiteBox.
    Cost: two queries and one gradient a row and step.
    Differs: in nothing.
    """

    ball: Ball = NARROW  # where to stay
    steps: int = 5  # steps, of a quarter of the radius

    def __call__(self, box: WhiteBox, goal: Goal, x: Batch) -> Iterator[Batch]:
        """Yield each iterate."""
        z = x
        for _ in range(self.steps):
            z = z.detach().requires_grad_()
            loss = goal.loss(self._logits(box.module, z)).sum()
            (gradient,) = torch.autograd.grad(loss, z)
            z = z.detach() + 0.25 * self.ball.steepest(gradient.nan_to_num(0, 0, 0))
            z = box.spec.clamp(self.ball.project(z, x))
            box.labels(z)
            yield z

    def _logits(self, module: nn.Module, z: Batch) -> torch.Tensor:
        return module(z.to(next(module.parameters())))


HONEST = (Shake(), Walk(), Climb(), Look())


@pytest.mark.parametrize("method", HONEST, ids=lambda method: type(method).__name__)
@pytest.mark.parametrize("check", ATTACK_CHECKS, ids=lambda check: check.__name__)
def test_the_honest_keep_the_contract(check, method):
    check(method)


# --- values ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Positional:
    """Takes fields in any order."""

    ball: Ball = WIDE  # the largest


@dataclass(frozen=True, kw_only=True)
class Uncommented:
    """Says nothing of its fields.

    Source: Nobody et al., a test 2024.
    Needs: LabelBox.
    Differs: in nothing.
    """

    ball: Ball = WIDE


@dataclass(frozen=True, kw_only=True, eq=False)
class Unequal(Shake):
    """Is of one hash with nothing but itself."""

    __hash__ = object.__hash__


@dataclass(frozen=True, kw_only=True)
class Mute(Shake):
    """Prints as something else."""

    def __repr__(self) -> str:
        return "<Mute>"


@dataclass(frozen=True, kw_only=True)
class Complex(Shake):
    """Has a field that JSON does not know."""

    shift: complex = 1j  # of what


@dataclass(frozen=True, kw_only=True)
class Unbounded:
    """Has no ball."""

    radius: float = 0.1  # of what

    def __call__(self, box: LabelBox, x: Batch) -> Iterator[Batch]:
        yield box.spec.clamp(x)


@dataclass(frozen=True, kw_only=True)
class Demanding(Shake):
    """Asks for the model's weights by a name that nobody supplies."""

    def __call__(self, box: LabelBox, weights: Batch) -> Iterator[Batch]:
        yield box.spec.clamp(weights)


# --- conduct ---------------------------------------------------------------------------------


class Global(Shake):
    """Draws from the global generator."""

    def _noise(self, x, _rng):
        return torch.randn_like(x)


class GlobalNumpy(Shake):
    """Draws from numpy's global generator."""

    def _noise(self, x, _rng):
        return torch.from_numpy(np.random.standard_normal(x.shape)).to(x)


class Unseeded(Shake):
    """Takes rng, draws from it, and uses numbers of its own."""

    def _noise(self, x, rng):
        rng.uniform(1, (1,))
        own = torch.Generator().manual_seed(0)
        return torch.randn(x.shape[1:], generator=own).to(x).expand(x.shape)


class Fork(Shake):
    """Draws from the global generator and hides it."""

    def _noise(self, x, _rng):
        with torch.random.fork_rng(devices=[]):
            return torch.randn(x.shape[1:]).to(x).expand(x.shape)


class Images(Shake):
    """Takes images alone."""

    def _noise(self, x, rng):
        noise = super()._noise(x, rng)
        return noise - noise.mean((1, 2, 3), keepdim=True)


class Double(Shake):
    """Yields another precision."""

    def _near(self, box, x, noise, step):
        return super()._near(box, x, noise, step).double()


class Single(Shake):
    """Yields float32 whatever it is given."""

    def _near(self, box, x, noise, step):
        return super()._near(box, x, noise, step).float()


class Straying(Shake):
    """Leaves the bounds."""

    def _near(self, _box, x, noise, _step):
        return x + noise


class Overwriting(Shake):
    """Writes into x."""

    def _near(self, box, x, noise, step):
        return box.spec.clamp(x.add_(noise * (step / self.steps)))


class Normed(Climb):
    """Takes one norm over the whole batch."""

    def _step(self, gradient):
        gradient = gradient.nan_to_num(0, 0, 0)
        return 0.25 * gradient / gradient.norm().clamp_min(1e-9)


class BatchNormed(Climb):
    """Centres gradients over the rows."""

    def _step(self, gradient):
        return super()._step(gradient - gradient.mean(0, keepdim=True))


class Slowest(Shake):
    """Ends when every row is won: counts on the company."""

    def _noise(self, x, rng):
        noise = super()._noise(x, rng)
        return (
            noise * noise.flatten(1).norm(dim=1).argsort().argsort().reshape(-1, 1, 1, 1) / len(x)
        )


class Peeking(Shake):
    """Asks the box behind the window."""

    def _ask(self, box, z):
        box.labels(z)
        box._asker.box.labels(z)


class Overdrawing(Shake):
    """Asks the box behind the window alone, once its budget ends."""

    steps = 40

    def _ask(self, box, z):
        if bool((box._asker.ledger.left() > 0).any()):
            box.labels(z)
        box._asker.box.labels(z)


class Keeping(Shake):
    """Closes over the raw model."""

    kept: ClassVar[list[nn.Module]] = []

    def _ask(self, box, z):
        self.kept[:] = [box._asker.box.module]
        box.labels(z)
        self.kept[0](z.float())


class Forging(Shake):
    """Gives itself its queries back."""

    def _ask(self, box, z):
        box.labels(z)
        box._asker.ledger.queries -= 1


class Forwarding(Look):
    """Calls the module's forward, which no hook sees."""

    def _logits(self, module, z):
        return module.forward(z)


class Copying(Look):
    """Asks a copy of the module, past its hooks."""

    def _logits(self, module, z):
        return copy.deepcopy(module).forward(z)


class Hooking(Look):
    """Leaves a hook behind."""

    def _logits(self, module, z):
        module.register_forward_hook(lambda *_: None)
        return module(z)


class HookingUntilTheEnd(Look):
    """Removes its hook only if it is let to end."""

    def __call__(self, box: WhiteBox, goal: Goal, x: Batch) -> Iterator[Batch]:
        hook = box.module.register_forward_hook(lambda *_: None)
        yield from super().__call__(box, goal, x)
        hook.remove()


class Tuning(Look):
    """Changes the weights."""

    def _logits(self, module, z):
        with torch.no_grad():
            next(module.parameters()).add_(1)
        return module(z)


class TuningBack(Look):
    """Changes the weights and puts them back."""

    def _logits(self, module, z):
        weight = next(module.parameters())
        with torch.no_grad():
            weight.add_(1)
            out = module(z)
            weight.sub_(1)
        return module(z) + 0 * out


class TuningInSecret(Climb):
    """Changes the weights of a model that it was not shown."""

    def _step(self, gradient):
        return super()._step(gradient)

    def __call__(self, box: GradBox, goal: Goal, x: Batch) -> Iterator[Batch]:
        for z in super().__call__(box, goal, x):
            with torch.no_grad():
                next(box._asker.box.module.parameters()).mul_(2)
            yield z


class Training(Look):
    """Puts the module into training mode."""

    def _logits(self, module, z):
        return module.train()(z)


class Accumulating(Look):
    """Leaves gradients in the weights."""

    def _logits(self, module, z):
        out = module(z)
        out.sum().backward(retain_graph=True)
        return out


class Trusting(Walk):
    """Takes any answer but the row's own class for a success, NaN too."""

    def _met(self, box, goal, z):
        return box.labels(z) != goal.y


class Claiming(Walk):
    """Tells the runner's own keeper that it has won."""

    def _met(self, box, goal, z):
        box._asker._watch.distance.fill_(0.1)
        box._asker._watch.points[:] = z[0]
        return super()._met(box, goal, z)


class Spoiled(Climb):
    """Lets a gradient that is not finite into the iterate."""

    def _step(self, gradient):
        return (
            0.25
            * gradient
            / gradient.flatten(1)
            .norm(dim=1)
            .clamp_min(1e-9)
            .reshape(-1, *[1] * (gradient.ndim - 1))
        )


class Remembering(Shake):
    """Keeps state in itself."""

    def _ask(self, box, z):
        object.__setattr__(self, "seen", len(z))
        box.labels(z)


FAULTS = (
    (Positional(), values.check_keyword_only),
    (Uncommented(), values.check_docstring),
    (Uncommented(), values.check_fields_have_comments),
    (Unequal(), values.check_compares_and_copies),
    (Mute(), values.check_prints_as_its_constructor),
    (Complex(), values.check_goes_through_json),
    (Unbounded(), attack.check_has_a_ball),
    (Demanding(), attack.check_signature),
    (Global(), _rows.check_same_seed),
    (Global(), _conduct.check_leaves_no_trace),
    (GlobalNumpy(), _rows.check_same_seed),
    (GlobalNumpy(), _conduct.check_leaves_no_trace),
    (Unseeded(), _rows.check_other_seed),
    (Fork(), _rows.check_same_seed),
    (Images(), _rows.check_any_shape),
    (Double(), _rows.check_precision),
    (Single(), _rows.check_precision),
    (Straying(), _conduct.check_stays_inside),
    (Overwriting(), _conduct.check_leaves_no_trace),
    (Normed(), _rows.check_row_alone),
    (BatchNormed(), _rows.check_row_alone),
    (Slowest(), _rows.check_row_alone),
    (Peeking(), _books.check_ledger),
    (Peeking(), _books.check_ledger_with_padding),
    (Overdrawing(), _books.check_budgets),
    (Keeping(), _books.check_ledger),
    (Forging(), _books.check_ledger),
    (Forwarding(), _books.check_ledger),
    (Copying(), _books.check_ledger),
    (Hooking(), _conduct.check_leaves_no_trace),
    (HookingUntilTheEnd(), _conduct.check_leaves_no_trace),
    (Tuning(), _conduct.check_leaves_no_trace),
    (TuningBack(), _conduct.check_leaves_no_trace),
    (TuningInSecret(), _conduct.check_leaves_no_trace),
    (Training(), _conduct.check_leaves_no_trace),
    (Accumulating(), _conduct.check_leaves_no_trace),
    (Trusting(), _conduct.check_silent_answers),
    (Claiming(), _conduct.check_success_is_real),
    (Spoiled(), _conduct.check_silent_answers),
    (Remembering(), _conduct.check_leaves_no_trace),
)


@pytest.mark.parametrize(
    ("method", "check"),
    [pytest.param(m, check, id=f"{type(m).__name__}-{check.__name__}") for m, check in FAULTS],
)
def test_the_check_catches_the_fault(method, check):
    with pytest.raises(AssertionError) as caught:
        check(method)
    assert "\n\n" not in str(caught.value)


def test_an_unfrozen_method_is_caught():
    @dataclass(kw_only=True)
    class Loose:
        ball: Ball = WIDE  # the largest

    with pytest.raises(AssertionError, match=r"Loose\.ball can be set"):
        values.check_frozen(Loose())

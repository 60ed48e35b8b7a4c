"""The contract of trainers: what each must keep, whatever it does.

A plug-in author runs it over instances that are quick and learn fast, a few epochs of small steps:

    @pytest.mark.parametrize("check", TRAINER_CHECKS, ids=lambda check: check.__name__)
    def test_contract(check):
        check(MyTrainer(course=Course(epochs=4, batch=16, rate=0.02)))

A check raises AssertionError with a sentence that says what is wrong.
"""

import math

import torch
from torch import Generator, Tensor, nn

from pellucid.errors import UserError
from pellucid.fit import Stats, accuracy
from pellucid.shapes import Batch, Labels
from pellucid.testing import traces
from pellucid.testing.values import VALUE_CHECKS
from pellucid.train.trainer import Trainer

SHAPE = (1, 4, 4)


def rows(dtype: torch.dtype = torch.float32) -> tuple[Batch, Labels]:
    """Rows in [0, 1] of two classes, by which half is brighter, and no row between the two."""
    rng = Generator().manual_seed(0)
    y = torch.arange(64) % 2
    x = 0.4 + 0.2 * torch.rand((64, *SHAPE), generator=rng)
    brighter = torch.where(y == 1, 0.2, -0.2)[:, None, None]
    x[:, 0, :, :2] += brighter
    x[:, 0, :, 2:] -= brighter
    return x.to(dtype), y


def network(dtype: torch.dtype = torch.float32, seed: int = 0) -> nn.Module:
    """An untrained network of that shape, which draws random numbers of its own as it trains."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        first, last = nn.Linear(16, 16), nn.Linear(16, 2)
    return nn.Sequential(nn.Flatten(), first, nn.ReLU(), nn.Dropout(0.1), last).to(dtype)


def trained(
    method: Trainer, module: nn.Module, data: tuple[Batch, Labels], seed: int = 0
) -> list[Stats | nn.Module]:
    """All that a trainer yields."""
    name = type(method).__name__
    try:
        return list(method(module, data, Generator().manual_seed(seed)))
    except Exception as error:
        raise AssertionError(f"{name} raises {type(error).__name__}: {error}") from error


def check_yields_stats_then_the_module(method: Trainer) -> None:
    """The figures of each epoch, and last the module that it was given, in eval mode."""
    name, module = type(method).__name__, network()
    *epochs, last = trained(method, module, rows())
    assert last is module, f"{name} must yield the module last, but yields {type(last).__name__}."
    modes = {part.training for part in module.modules()}
    assert modes == {False}, f"{name} must return the module in eval mode."
    numbers = [item.epoch for item in epochs if isinstance(item, Stats)]
    due = list(range(1, len(epochs) + 1))
    assert epochs, f"{name} must yield the figures of its epochs before the module."
    assert numbers == due, f"{name} must yield one Stats an epoch, 1 to {len(due)}: {numbers}."


def check_learns(method: Trainer) -> None:
    """On rows that are easy the loss falls, and what is learnt is right, in both precisions."""
    name = type(method).__name__
    for dtype in (torch.float32, torch.float64):
        module, (x, y) = network(dtype), rows(dtype)
        losses = [item.loss for item in trained(method, module, (x, y)) if isinstance(item, Stats)]
        assert losses[-1] < losses[0], f"The loss of {name} goes from {losses[0]} to {losses[-1]}."
        right = accuracy(module, x, y)
        assert right > 0.9, f"{name} gets {right:.0%} of easy rows right, in {dtype}."
        kept = {weight.dtype for weight in module.parameters()}
        assert kept == {dtype}, f"{name} turns weights of {dtype} into {kept}."


def check_seed_decides(method: Trainer) -> None:
    """The same seed makes the same weights, whatever the global generators say; another, others."""
    name = type(method).__name__
    made = []
    for seed, around in ((0, 1), (0, 2), (3, 1)):
        module = network()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(around)
            trained(method, module, rows(), seed)
        made.append(torch.cat([weight.detach().flatten() for weight in module.parameters()]))
    assert torch.equal(made[0], made[1]), f"{name} makes other weights with the same seed."
    assert not torch.equal(made[0], made[2]), f"The seed makes no difference to {name}."


def check_leaves_no_trace(method: Trainer) -> None:
    """Global state, hooks, gradients and data are as they were, between epochs too."""
    name, module, (x, y) = type(method).__name__, network(), rows()
    before = _around(module, x, y)
    for _ in method(module, (x, y), Generator().manual_seed(0)):
        changed = traces.differences(before, _around(module, x, y))
        assert not changed, f"{name} has changed {changed}."


def _around(module: nn.Module, x: Tensor, y: Tensor) -> dict[str, str]:
    """All but the weights, which training is for, and the modes, which the end decides."""
    state = traces.of_process() | {"x": traces.of_tensor(x), "y": traces.of_tensor(y)}
    within = traces.of_module(module)
    return state | {
        name: said for name, said in within.items() if not name.startswith(("weight", "the mode"))
    }


def check_names_bad_input(method: Trainer) -> None:
    """Bad rows and bad labels are refused in one sentence before a weight is moved."""
    name, (x, y) = type(method).__name__, rows()
    spoilt = x.clone()
    spoilt[1] = math.nan
    for what, some_x, some_y in (
        ("rows of another shape", x[..., :-1], y),
        ("a row with NaN", spoilt, y),
        ("no rows", x[:0], y[:0]),
        ("a label out of range", x, y + 1),
        ("a label below zero", x, y - 1),
    ):
        module = network()
        before = traces.of_module(module)
        try:
            list(method(module, (some_x, some_y), Generator().manual_seed(0)))
        except UserError as error:
            said = str(error)
        except Exception as error:
            raise AssertionError(f"{name}, given {what}, raises {error!r}.") from error
        else:
            raise AssertionError(f"{name} takes {what} without a word.")
        one = said.endswith(".") and "\n" not in said
        assert one, f"{name}, given {what}, does not answer in one sentence: {said!r}."
        changed = traces.differences(before, traces.of_module(module))
        assert not changed, f"{name}, given {what}, has changed {changed}."


TRAINER_CHECKS = (
    *VALUE_CHECKS,
    check_yields_stats_then_the_module,
    check_learns,
    check_seed_decides,
    check_leaves_no_trace,
    check_names_bad_input,
)

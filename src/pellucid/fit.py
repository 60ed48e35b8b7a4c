"""The one training loop of the house, on Lightning Fabric."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from pellucid.errors import UserError
from pellucid.extras import extra
from pellucid.shapes import Batch, Labels

Objective = Callable[[nn.Module, Tensor, Tensor, Generator], Tensor]  # (module, x, y, rng) -> loss
Optimiser = Callable[[Iterable[nn.Parameter]], Optimizer]
Schedule = Callable[[Optimizer, int], LRScheduler]  # (optimiser, steps in all) -> stepped each step

CHECKED = 1000  # the first rows, on which an epoch's accuracy is measured


class BadTraining(UserError):
    """Training was asked for with numbers or rows that cannot be."""


@dataclass(frozen=True, kw_only=True)
class Stats:
    """What one epoch came to."""

    epoch: int  # from 1
    step: int  # optimiser steps since the beginning
    loss: float  # the objective's mean over the epoch's rows, each at its own step
    accuracy: float  # after the epoch, in eval mode, on the first 1,000 rows
    seconds: float  # of training since the beginning, without what the caller did in between


def cross_entropy(module: nn.Module, x: Tensor, y: Tensor, _rng: Generator) -> Tensor:
    """Mean cross-entropy of the module's logits."""
    return functional.cross_entropy(module(x), y)


def fit(
    module: nn.Module,
    x: Batch,
    y: Labels,
    *,
    objective: Objective = cross_entropy,
    epochs: int,
    batch: int,
    optimiser: Optimiser,
    schedule: Schedule | None = None,
    rng: Generator,
    device: str = "cpu",
) -> Iterator[Stats]:
    """Train the module in place and yield the figures of each epoch.

    A generator of the same seed gives the same bits on the same machine and number of threads. It
    decides the order of rows, the objective's draws and the module's own (dropout); initialisation
    is the caller's. Between epochs the global generator and the train mode of every submodule are
    as they were found, and no gradient is left. The module stays on the device.

    Args:
        module: A classifier that answers (n, classes) logits.
        x: Inputs (n, *shape), on any device.
        y: Classes (n,).
        objective: The loss to take the mean of; it may attack x with the generator it is given.
        epochs: How often all rows are seen.
        batch: Rows a step; the last step of an epoch takes what is left.
        optimiser: Makes the optimiser of the parameters.
        schedule: Makes the schedule of the learning rate from optimiser and number of steps.
        rng: A generator on the CPU, which decides all that is random here.
        device: Where to train: "cpu", "cuda" or "cuda:1".

    Raises:
        BadTraining: there is no row, x and y differ in length, x has numbers that are not finite,
            the network does not take rows of this shape, a label is not among its classes, or
            epochs or batch are below 1.
        MissingExtra: Lightning Fabric is not installed.
    """
    _check(x, y, epochs=epochs, batch=batch)
    with extra("train", "Training"):
        from lightning_fabric import Fabric
    place = torch.device(device)
    fabric = Fabric(accelerator=place.type, devices=_places(place))
    raw = optimiser(module.parameters())
    pace = schedule(raw, epochs * -(-len(x) // batch)) if schedule else None
    wrapped, stepper = fabric.setup(module, raw)
    _check_first(wrapped, *fabric.to_device((x[:1], y)))
    draws = Generator(fabric.device).manual_seed(_draw(rng))
    step, seconds = 0, 0.0
    for epoch in range(1, epochs + 1):
        began, total = time.perf_counter(), torch.zeros((), device=fabric.device)
        with _own_random_state(_draw(rng)), _mode(module, train=True):
            for rows in torch.randperm(len(x), generator=rng).split(batch):
                some_x, some_y = fabric.to_device((x[rows], y[rows]))
                loss = objective(wrapped, some_x, some_y, draws)
                stepper.zero_grad()
                fabric.backward(loss)
                stepper.step()
                if pace:
                    pace.step()
                total += len(rows) * loss.detach()
                step += 1
        stepper.zero_grad()
        some_x, some_y = fabric.to_device((x[:CHECKED], y[:CHECKED]))
        right = accuracy(module, some_x, some_y)
        seconds += time.perf_counter() - began
        yield Stats(
            epoch=epoch, step=step, loss=total.item() / len(x), accuracy=right, seconds=seconds
        )


def accuracy(module: nn.Module, x: Batch, y: Labels, *, batch: int = 1000) -> float:
    """The share of rows that the module, in eval mode, gives their class; asks `batch` at once."""
    with _mode(module, train=False), torch.no_grad():
        pairs = zip(x.split(batch), y.split(batch), strict=True)
        right = sum((module(x).argmax(dim=-1) == y).sum().item() for x, y in pairs)
    return right / len(y)


def _check(x: Tensor, y: Tensor, *, epochs: int, batch: int) -> None:
    if not len(x) or len(x) != len(y):
        raise BadTraining(f"Training needs as many labels as rows, not {len(y)} for {len(x)} rows.")
    if epochs < 1 or batch < 1:
        raise BadTraining(f"Epochs and batch must be at least 1, not {epochs} and {batch}.")
    if not bool(x.isfinite().all()):
        raise BadTraining("The rows hold NaN or infinity: take those rows out, or mend them.")


def _check_first(module: nn.Module, x: Tensor, y: Tensor) -> None:
    """Ask about the first row what could only be found out in the midst of the training."""
    shape = tuple(x.shape[1:])
    with _mode(module, train=False), torch.no_grad():
        try:
            classes = module(x).shape[-1]
        except RuntimeError as error:
            why = str(error).partition("\n")[0].rstrip(".")
            raise BadTraining(f"The network takes no rows of shape {shape}: {why}.") from error
    wrong = y[(y < 0) | (y >= classes)]
    if len(wrong):
        raise BadTraining(
            f"The network answers {classes} classes, 0 to {classes - 1}, but a row has the label "
            f"{int(wrong[0])}."
        )


def _places(device: torch.device) -> int | list[int]:
    """What Fabric calls a device without its kind: one of any number, or this one."""
    return 1 if device.index is None else [device.index]


def _draw(rng: Generator) -> int:
    return int(torch.randint(2**31, (), generator=rng))


@contextmanager
def _own_random_state(seed: int) -> Iterator[None]:
    """Seed the global generators, and leave them as they were found."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


@contextmanager
def _mode(module: nn.Module, *, train: bool) -> Iterator[None]:
    """Train or eval mode for all, then each submodule's own again."""
    found = [(part, part.training) for part in module.modules()]
    module.train(train)
    try:
        yield
    finally:
        for part, training in found:
            part.training = training

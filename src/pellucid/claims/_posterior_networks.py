"""Networks of MNIST: samples of a posterior from one run, ensembles of runs, and their victims."""

from collections.abc import Callable
from functools import partial

from torch import nn

from pellucid.claims._posterior_members import Keeping, Members, block, dense, small
from pellucid.claims.recipe import Recipe
from pellucid.train.course import Course
from pellucid.train.cyclical_sgld import CyclicalSGLD
from pellucid.train.standard import Standard
from pellucid.train.trainer import Trainer

ROWS = 8000  # of MNIST, to train on
CYCLES, SAMPLES = 4, 2  # and so many samples in each
CYCLE = 4  # epochs of a cycle
# of 3e-3, 1e-3 and 5e-4, the rate of Adam at which a network is most accurate after 16 epochs, and
# the one at which what fools it fools most others: found on a pilot seed, as was the chain's rate
ACCURATE, GENTLE = 3e-3, 5e-4
BRIEF = 3e-3  # the same for runs of four epochs, of 3e-3 and 1e-3


def chain(seed: int, *, noise: bool) -> Recipe:
    """One run of cyclical SGLD, or without noise a snapshot ensemble: 16 epochs, 8 samples."""
    sampler = CyclicalSGLD(
        cycles=CYCLES, epochs=CYCLE, samples=SAMPLES, rate=0.1, batch=64, noise=noise
    )
    return _recipe(
        "cyclical-sgld" if noise else "snapshots",
        partial[nn.Module](Members, CYCLES * SAMPLES),
        Keeping(sampler=sampler),
        10 * seed,
    )


def accurate(seed: int) -> Recipe:
    """One network, trained to be right."""
    return _by_adam("accurate", small, CYCLES * CYCLE, ACCURATE, 10 * seed)


def gentle(seed: int) -> tuple[Recipe, ...]:
    """Four networks, each by a run of its own that is as long as the chain's."""
    return tuple(_by_adam("gentle", small, CYCLES * CYCLE, GENTLE, 10 * seed + i) for i in range(4))


def brief(seed: int) -> tuple[Recipe, ...]:
    """Four networks, whose runs together are as long as the chain's."""
    return tuple(_by_adam("brief", small, CYCLE, BRIEF, 10 * seed + i) for i in range(4))


def victims(seed: int) -> tuple[Recipe, ...]:
    """A network of each architecture, by a seed that no surrogate has."""
    return tuple(
        _by_adam(f"victim-{make.__name__}", make, CYCLE, ACCURATE, 10 * seed + 5)
        for make in (small, block, dense)
    )


def _by_adam(
    name: str, make: Callable[[], nn.Module], epochs: int, rate: float, seed: int
) -> Recipe:
    trainer = Standard(course=Course(epochs=epochs, batch=64, rate=rate))
    return _recipe(name, partial[nn.Module](make), trainer, seed)


def _recipe(name: str, make: partial[nn.Module], trainer: Trainer, seed: int) -> Recipe:
    return Recipe(
        name=f"mnist-8k-{name}",
        architecture=make,
        data="mnist",
        rows=ROWS,
        trainer=trainer,
        seed=seed,
    )

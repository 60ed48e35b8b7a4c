"""Every trainer of the table keeps the contract of trainers, and the contract finds faults."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
from torch import Generator, nn

from pellucid.fit import Stats
from pellucid.methods import with_fields
from pellucid.shapes import Batch, Labels
from pellucid.systems import SYSTEMS
from pellucid.testing import trainer
from pellucid.testing.trainer import TRAINER_CHECKS
from pellucid.train.course import Course
from pellucid.train.standard import Standard

QUICK = {"course.epochs": "4", "course.batch": "16", "course.rate": "0.02"}
SMALL = QUICK | {"threat.epsilon": "0.05"}
FIELDS = {
    "standard": QUICK,
    "pgd-training": SMALL | {"steps": "2"},
    "fast-training": SMALL,
    "trades": SMALL | {"steps": "2"},
    "intriguing-properties": QUICK,
    "contrastive": QUICK,
    "cyclical-sgld": {"cycles": "2", "epochs": "4", "samples": "1", "rate": "0.2", "batch": "16"},
}
ROWS = [row for row in SYSTEMS if row.kind == "trainer"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.slug)
@pytest.mark.parametrize("check", TRAINER_CHECKS, ids=lambda check: check.__name__)
def test_contract(check, row):
    check(with_fields(row.load(), FIELDS[row.slug]))


COURSE = Course(epochs=4, batch=16, rate=0.02)


@dataclass(frozen=True, kw_only=True)
class Faulty:
    """Standard training with one fault a subclass.

    Source: Nobody et al., a test 2024.
    Needs: rows.
    Cost: one pass a row and epoch.
    Differs: in one fault.
    """

    course: Course = COURSE  # of training

    def __call__(
        self, module: nn.Module, data: tuple[Batch, Labels], rng: Generator
    ) -> Iterator[Stats | nn.Module]:
        yield from Standard(course=self.course)(module, data, rng)


class NeverLast(Faulty):
    def __call__(self, module, data, rng):
        yield from list(super().__call__(module, data, rng))[:-1]


class StillTraining(Faulty):
    def __call__(self, module, data, rng):
        *epochs, last = super().__call__(module, data, rng)
        yield from epochs
        yield last.train()


class Backwards(Faulty):
    def __call__(self, module, data, rng):
        x, y = data
        yield from super().__call__(module, (x, 1 - y), rng)


class OwnSeed(Faulty):
    def __call__(self, module, data, _rng):
        yield from super().__call__(module, data, Generator().manual_seed(5))


class GlobalDraws(Faulty):
    def __call__(self, module, data, _rng):
        seed = int(torch.randint(100, ()))
        yield from super().__call__(module, data, Generator().manual_seed(seed))


class Hooked(Faulty):
    def __call__(self, module, data, rng):
        module.register_forward_hook(print)
        yield from super().__call__(module, data, rng)


class Careless(Faulty):
    def __call__(self, module, data, rng):
        x, y = data
        yield from super().__call__(module, (x.nan_to_num(), y.clamp(0, 1)), rng)


@pytest.mark.parametrize(
    ("fault", "check", "said"),
    [
        (NeverLast, trainer.check_yields_stats_then_the_module, "must yield the module last"),
        (StillTraining, trainer.check_yields_stats_then_the_module, "in eval mode"),
        (Backwards, trainer.check_learns, "of easy rows right"),
        (OwnSeed, trainer.check_seed_decides, "seed makes no difference"),
        (GlobalDraws, trainer.check_seed_decides, "other weights with the same seed"),
        (GlobalDraws, trainer.check_leaves_no_trace, "torch's random state"),
        (Hooked, trainer.check_leaves_no_trace, "_forward_hooks"),
        (Careless, trainer.check_names_bad_input, "a row with NaN without a word"),
    ],
)
def test_each_planted_fault_is_caught(fault, check, said):
    with pytest.raises(AssertionError, match=said):
        check(fault())

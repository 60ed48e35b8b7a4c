"""Rows keep to themselves, come in any shape and precision, and draw from their own streams."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch

from pellucid.goals import misled
from pellucid.needs import Attack
from pellucid.rng import Streams, ids_of
from pellucid.testing.driving import attacked, driven, meeting, rows_of, trace
from pellucid.testing.subjects import Subject, subject

SHAPES = ((7,), (1, 4, 4), (2, 3, 4, 5))


def check_row_alone(method: Attack) -> None:
    """A row by itself gives the same bits, at the same cost, as among others."""
    on = subject()
    together = rows_of(method, attacked(method, on))
    same_rows(method, together, one_by_one(method, on), "alone")


def one_by_one(method: Attack, on: Subject) -> list[str]:
    """What each row of a subject gives when it is attacked by itself."""
    every = torch.arange(len(on.x)).split(1)
    return [rows_of(method, attacked(method, on, rows=row))[0] for row in every]


def check_order(method: Attack) -> None:
    """Rows in another order give the same bits at the same cost."""
    on = subject()
    order = [2, 0, 3, 1]
    whole = rows_of(method, attacked(method, on))
    turned = rows_of(method, attacked(method, on, rows=torch.tensor(order)))
    same_rows(method, [whole[row] for row in order], turned, "in another order")


def check_hopeless_row(method: Attack) -> None:
    """One row that nothing can help changes no other."""
    on = subject()
    other = on.y.clone()
    before = rows_of(method, attacked(method, on, goal=on.goal & misled(other)))
    other[1] = 1 - other[1]
    found = attacked(method, on, goal=on.goal & misled(other))
    after = rows_of(method, found)
    same_rows(method, [before[0], *before[2:]], [after[0], *after[2:]], "beside a row without hope")
    assert not bool(found.success[1]), "A row was won whose goal no answer meets."


def same_rows(method: object, due: Sequence[str], given: Sequence[str], where: str) -> None:
    """AssertionError at the first row that is not what was due."""
    for row, (wanted, got) in enumerate(zip(due, given, strict=True)):
        assert got == wanted, (
            f"{type(method).__name__} treats row {row} differently {where}: {got}, not {wanted}."
        )


def check_any_shape(method: Attack) -> None:
    """Rows of any shape, one or three of them, come back in that shape."""
    for shape in SHAPES:
        for n in (1, 3):
            on = subject(shape=shape, rows=n)
            attacked(method, on, where=f"on {n} rows of shape {shape}")
            for iterate in driven(method, on).iterates:
                assert iterate.shape == on.x.shape, (
                    f"{type(method).__name__} yields {tuple(iterate.shape)} for rows of shape "
                    f"{tuple(on.x.shape)}."
                )


def check_precision(method: Attack) -> None:
    """float32 and float64 stay what they are, whatever the model computes in."""
    for rows_in in (torch.float32, torch.float64):
        for weights_in in (torch.float32, torch.float64):
            whole = subject(dtype=weights_in)
            on = replace(whole, x=whole.x.to(rows_in))
            attacked(method, on, where=f"on rows in {rows_in} and weights in {weights_in}")
            kinds = {iterate.dtype for iterate in driven(method, on).iterates}
            assert kinds <= {rows_in}, (
                f"{type(method).__name__} yields {kinds} for rows in {rows_in} "
                f"and weights in {weights_in}."
            )


def check_same_seed(method: Attack) -> None:
    """One seed gives the same bits, whatever the global generators have drawn."""
    traces = []
    for elsewhere in (1, 2):
        with global_seed(elsewhere):
            traces.append(trace(method))
    assert traces[0] == traces[1], (
        f"{type(method).__name__} gives other bits under the same seed: draw from rng alone."
    )


def check_other_seed(method: Attack) -> None:
    """A method that draws asks other questions under another seed."""
    on = subject()
    fresh = Streams(0, ids_of(on.x), on.x).uniform(1, (1,))
    if torch.equal(driven(method, on).rng.uniform(1, (1,)), fresh):
        return  # it has drawn nothing
    start = meeting(on)
    asked = []
    for seed in (0, 1):
        attacked(method, on, seed=seed, start=start)
        asked.append([name for question in on.tally.asked for name in ids_of(question)])
    assert asked[0] != asked[1], f"{type(method).__name__} does the same under another seed."


@contextmanager
def global_seed(seed: int) -> Iterator[None]:
    """Seed torch, numpy and Python, and put their states back afterwards."""
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


ROW_CHECKS = (
    check_row_alone,
    check_order,
    check_hopeless_row,
    check_any_shape,
    check_precision,
    check_same_seed,
    check_other_seed,
)

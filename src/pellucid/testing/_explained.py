"""Ways to set an explainer going for its contract."""

import torch
import xxhash
from torch import Tensor

from pellucid.errors import UserError
from pellucid.explain.attribution import Explainer
from pellucid.explain.explaining import explain
from pellucid.explain.explanations import Explained
from pellucid.explain.targets import label
from pellucid.rng import ids_of
from pellucid.testing._refusals import one_sentence
from pellucid.testing.driving import blaming
from pellucid.testing.subjects import Subject, pictures


def explained(
    method: Explainer,
    on: Subject,
    *,
    rows: Tensor | None = None,
    seed: int = 0,
    batch: int | None = None,
    where: str = "on a network in whole numbers",
) -> Explained:
    """What is said of some rows of a subject (all of them by default), and their own label."""
    rows = torch.arange(len(on.x)) if rows is None else rows
    with blaming(method, where):
        return _explain(method, on, rows, seed=seed, batch=batch)


def tried(
    method: Explainer, on: Subject, *, budget: int | None = None, where: str
) -> Explained | None:
    """What is said of a subject's rows; None if that is refused, in a sentence."""
    with blaming(method, where):
        try:
            return _explain(method, on, torch.arange(len(on.x)), budget=budget)
        except UserError as error:
            one_sentence(type(method).__name__, where, str(error))
            return None


def _explain(
    method: Explainer,
    on: Subject,
    rows: Tensor,
    *,
    seed: int = 0,
    batch: int | None = None,
    budget: int | None = None,
) -> Explained:
    on.tally.clear()
    on.box.padding = 0
    return explain(
        method,
        on.box,
        on.x[rows],
        label(on.y[rows]),
        seed=seed,
        data=(on.x, on.y),
        batch=batch,
        budget=budget,
        progress=False,
    )


def rows_of(said: Explained) -> list[str]:
    """Each row in words: what was said of it, bit for bit, and what that cost."""
    none = torch.zeros(len(said))
    parts = [said.values, *(none if p is None else p for p in (said.gap, said.agreement))]
    names = zip(*map(ids_of, parts), strict=True)
    facts = zip(said.status, said.queries.tolist(), said.gradients.tolist(), names, strict=True)
    return [
        f"{status}, {queries} queries, {gradients} gradients, bits {'/'.join(bits)}"
        for status, queries, gradients, bits in facts
    ]


def trace(method: Explainer) -> str:
    """A digest of all that a method asks and says."""
    on = pictures()
    said = explained(method, on)
    questions = [name for question in on.tally.asked for name in ids_of(question)]
    return xxhash.xxh3_128_hexdigest("/".join([*rows_of(said), *questions]).encode())


def one_by_one(method: Explainer, on: Subject) -> list[str]:
    """What is said of each row of a subject by itself."""
    every = torch.arange(len(on.x)).split(1)
    return [rows_of(explained(method, on, rows=row))[0] for row in every]

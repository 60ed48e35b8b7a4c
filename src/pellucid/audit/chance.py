"""Whether a model knows anything of the rows, and what is likely wrong if it does not."""

import numpy as np
from numpy.typing import NDArray

from pellucid.audit.check import Ground
from pellucid.audit.finding import Finding
from pellucid.box.protocols import ScoreBox
from pellucid.ledger import Cost
from pellucid.opening.doubts import Doubt, doubts
from pellucid.opening.opened import UNCOUNTED, Opened
from pellucid.statistics import clopper_pearson

FEWEST = 20  # rows: on fewer nobody can say
SHUFFLES = 999
SIGN = 0.01  # the level at which answers have something to do with the labels
ROWS = 200  # that are examined at most
FEWEST_TRIED = 100  # rows: with fewer, other ways to put them to the model show little
TRIALS = 48  # more than an examination makes, were each to be about all rows
AGAIN = 20  # rows that an examination asks about twice
ASIDE = ("saturated", "nondeterministic")  # doubts that explain no wrong answer

UNKNOWN = (
    "check that its weights are loaded and trained for such data, that --mean, --std and --bounds "
    "are what it was trained with, and that its classes are numbered as the data's"
)


def above_chance(labels: NDArray[np.int64], y: NDArray[np.int64], classes: int) -> bool:
    """Whether the answers have more to do with the labels than chance would give.

    They have not if both hold: the 95 % interval of the accuracy does not lie above one class in
    so many, or the accuracy is no more than the share of the most frequent class; and the same
    answers in random order are right on as many rows in more than 1 of 100 orders (a permutation
    test). The first alone would stop a model on few rows of one class, the second alone one that
    is right on all of them. Fewer than 20 rows, or rows of one class, show nothing.

    Args:
        labels: (n,), what the model answers; below 0: nothing.
        y: (n,), the classes.
        classes: how many the model knows.
    """
    frequent, hits = int(np.bincount(y).max()), int((labels == y).sum())
    if len(y) < FEWEST or frequent == len(y):
        return True
    seen = int(max(labels.max(), y.max())) + 1
    low, _ = clopper_pearson(hits, len(y))
    if low > 1 / (seen if classes >= UNCOUNTED else classes) and hits > frequent:
        return True
    rng = np.random.default_rng(0)
    as_many = sum(int((rng.permutation(labels) == y).sum()) >= hits for _ in range(SHUFFLES))
    return (1 + as_many) / (1 + SHUFFLES) <= SIGN


def examination(ground: Ground) -> int:
    """The most questions that looking for a cause can take."""
    if ground.opened is None or not _shown(ground, ground.opened):
        return 0
    return min(ROWS, len(ground.data)) * (1 + TRIALS) + AGAIN


def likely_cause(ground: Ground, budget: int) -> tuple[str, Cost]:
    """What is likely wrong with how the model is used, as a clause, and what that has cost.

    The model is examined as `pellucid.opening.doubts` does it, as far as the access and so many
    questions allow; otherwise the cause is not known.
    """
    examined = _examined(ground, budget)
    if examined is None:
        return UNKNOWN, Cost()
    seen, cost = examined
    causes = [doubt.sentence for doubt in seen if doubt.name not in ASIDE]
    return (causes[0][0].lower() + causes[0][1:].rstrip(".") if causes else UNKNOWN), cost


def not_above_chance(_ground: Ground, finding: Finding) -> str | None:
    """Why an audit ends with its first finding, as a clause; None: it goes on."""
    figures = finding.figures
    if figures.get("above_chance") is not False:
        return None
    return (
        f"the model is not above chance, with {figures['right']} of {figures['rows']} rows right: "
        f"{figures['cause']}"
    )


def _examined(ground: Ground, budget: int) -> tuple[tuple[Doubt, ...], Cost] | None:
    """The doubts about the model; None if they may not be looked for."""
    opened = ground.opened
    if opened is None or not _shown(ground, opened):
        return None
    rows = min(ROWS, len(ground.data), (budget - AGAIN) // (1 + TRIALS))
    trials = rows >= min(FEWEST_TRIED, len(ground.data))
    rows = rows if trials else min(ROWS, len(ground.data), budget)
    if rows < FEWEST:
        return None
    found = doubts(opened, ground.data, rows=rows, trials=trials)
    return found.doubts, Cost(queries=found.asked, calls=found.calls)


def _shown(ground: Ground, opened: Opened) -> bool:
    """Whether an examination sees no more than was granted: it looks at outputs as they are."""
    return opened.facts.emits == "label" or isinstance(ground.box, ScoreBox)

"""A guess that was tried on the same rows, and whether it makes the model right more often."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch.nn import functional

from pellucid.box.outputs import as_logits
from pellucid.opening.doubts.doubt import Doubt, Name
from pellucid.opening.doubts.trials import Trial
from pellucid.opening.doubts.use import Answered, Interview
from pellucid.opening.facts import Facts
from pellucid.shapes import Each, Verdicts
from pellucid.statistics import clopper_pearson, mcnemar

LEVEL = 0.001  # of all tests of an examination together
GAIN = 0.05  # of the rows: a gain that matters
MENDED = 1 / 3  # of the errors: a wrong fact causes many of them
SOLVED = 2 / 3  # of the errors: with so many gone, little else can be wrong
GOOD = 0.9  # a model that is surely right more often than this is used as it should be
PARTS = 4  # a trial that gains nothing on the first of so many parts is left
TEMPERATURES = tuple(2.0**k for k in range(-4, 9))
WORST = 1e4  # the loss in nats of a row whose answer is not finite
ALIKE = 0.05  # a guess that is not worse at this level does as well


@dataclass(frozen=True, kw_only=True, eq=False)
class Explanation:
    """A guess that makes the model right on many more of the same rows."""

    name: Name
    what: str  # goes on "right on 90 of 100 rows ..."
    advice: str
    instead: Facts | None
    before: Verdicts  # which of the tested rows it is right on
    after: Verdicts
    p: float  # of McNemar's exact test, corrected for the number of guesses
    answered: Answered  # all rows with this guess

    @property
    def solves(self) -> bool:
        """Whether it leaves little to explain."""
        left = int((~self.after).sum()) / max(1, int((~self.before).sum()))
        return good(self.after) or left <= 1 - SOLVED

    def doubt(self, stand: str = "as they stand") -> Doubt:
        """What was seen, in a sentence and in figures; `stand` tells of the rows before."""
        before, after, rows = int(self.before.sum()), int(self.after.sum()), len(self.after)
        return Doubt(
            name=self.name,
            sentence=(
                f"The model is right on {before} of {rows} rows {stand}, but on {after} "
                f"{self.what}: {self.advice}."
            ),
            figures={"rows": rows, "before": before, "after": after, "p": self.p},
            instead=self.instead,
        )


def good(right: Verdicts) -> bool:
    """Whether so many rows are right that nothing needs an explanation."""
    low, _ = clopper_pearson(int(right.sum()), len(right))
    return float(low) >= GOOD


def p_value(before: Verdicts, after: Verdicts, tests: int) -> float:
    """McNemar's exact test that more rows (n,) are right after, with Bonferroni's correction."""
    return min(1.0, tests * float(mcnemar(after.numpy(), before.numpy(), tails=1)))


def gains(before: Verdicts, after: Verdicts, tests: int, mended: float = MENDED) -> bool:
    """Whether a gain is sure, and matters.

    Args:
        before: (n,) which rows were right.
        after: the same rows, as guessed.
        tests: how many guesses are tried.
        mended: the least share of the errors that must go.
    """
    errors, gain = int((~before).sum()), int(after.sum()) - int(before.sum())
    matters = gain >= max(GAIN * len(before), mended * errors)
    return matters and p_value(before, after, tests) < LEVEL


def best_of(
    base: Answered, trials: Sequence[Trial], interview: Interview, tests: int
) -> Explanation | None:
    """Ask once a trial, and take the one under which the model is right most often.

    Among those that are not surely worse by that, the first whose loss is within one standard error
    of the least is taken, as the simplest come first (Breiman et al., Classification and Regression
    Trees, 1984).
    """
    asked = [(trial, _asked(base, trial, interview)) for trial in trials]
    tried = [(trial, answered) for trial, answered in asked if answered is not None]
    gained = [(t, answered) for t, answered in tried if gains(base.right, answered.right, tests)]
    if not gained:
        return None
    best = max((answered for _, answered in gained), key=lambda answered: answered.hits)
    equals = [(trial, answered) for trial, answered in gained if _equal(best, answered)]
    trial, top = equals[_simplest([_losses(answered) for _, answered in equals])]
    others = [other.what for other, _ in equals if other is not trial]
    return Explanation(
        name=trial.name,
        what=trial.what + (f" (and as surely {' or '.join(others)})" if others else ""),
        advice=trial.advice,
        instead=trial.instead,
        before=base.right,
        after=top.right,
        p=p_value(base.right, top.right, tests),
        answered=top,
    )


def _asked(base: Answered, trial: Trial, interview: Interview) -> Answered | None:
    """What the model answers in a trial; None if it cannot, or a first part of it shows no gain."""
    use, part = trial.applied(base.use), len(base.labels) // PARTS
    first = interview.attempt(use.rows(slice(part)))
    if first is None or first.hits <= int(base.right[:part].sum()):
        return None
    return first.joined(use, interview(use.rows(slice(part, None))))


def _equal(top: Answered, other: Answered) -> bool:
    return float(mcnemar(top.right.numpy(), other.right.numpy(), tails=1)) > ALIKE


def _simplest(losses: Sequence[Each]) -> int:
    """The first that is within one standard error of the least, row by row."""
    least = min(losses, key=lambda loss: float(loss.mean()))
    worse = [loss - least for loss in losses]
    within = [float(w.mean()) <= float(w.std(correction=0)) / len(w) ** 0.5 for w in worse]
    return within.index(True)


def _losses(answered: Answered) -> Each:
    """Each row's cross-entropy at the temperature best for all, or without scores its error.

    Inputs that are scaled too far make a model sure, not right: a temperature takes that away.
    """
    opened, y = answered.use.opened, answered.use.y
    if answered.raw is None:
        return 1 - answered.right.double()
    known = (y >= 0) & (y < answered.raw.shape[1])
    answer = opened.spec().answer
    logits = as_logits(answered.raw[known], opened.facts.emits or "logits", answer)
    losses = (
        functional.cross_entropy(logits / t, y[known], reduction="none").nan_to_num(WORST, WORST)
        for t in TEMPERATURES
    )
    return min(losses, key=lambda loss: float(loss.mean()))

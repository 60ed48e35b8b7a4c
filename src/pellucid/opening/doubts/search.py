"""Looks for what explains a model's errors: one explanation upon another, while errors are many."""

from collections.abc import Sequence
from dataclasses import dataclass

from pellucid.opening.doubts.doubt import Name
from pellucid.opening.doubts.explanation import Explanation, best_of, gains, good
from pellucid.opening.doubts.relabelling import LABELS, ORDERS, relabelled
from pellucid.opening.doubts.trials import Trial, rearranged, scaled
from pellucid.opening.doubts.use import Answered, Interview

ROUNDS = 3  # explanations that are looked for, as faults seldom come alone
SURPLUS = 0.05  # of the rows: by so much an order of classes must be better than other rows
SCALES: tuple[Name, ...] = ("range", "normalisation")  # what one mean and std say together


@dataclass(frozen=True, kw_only=True)
class Search:
    """What a search may use."""

    interview: Interview
    unit: tuple[float, float]  # the least and greatest value of an input, as the data has it
    names: tuple[str, ...]  # of the data's classes
    trials: bool  # whether more may be asked

    def explain(self, base: Answered) -> tuple[list[Explanation], int]:
        """What explains the errors, in the order of its weight, and how many guesses were tried."""
        found, tried = list[Explanation](), 0
        while len(found) < ROUNDS and not good(base.right):
            spent: list[Name] = [explanation.name for explanation in found]
            moves, scales = self._trials(base, spent)
            tests = len(moves) + len(scales) + ORDERS
            if not gains(base.right, base.right.new_ones(len(base.right)), tests):
                break  # not even a guess that mends every error could be sure
            tried += tests
            order = None if {*spent} & {*LABELS} else relabelled(base, self.names, tests)
            best = self._best(base, order, moves, scales, tests)
            if best is None:
                break
            found.append(best)
            base = best.answered
            if best.solves:
                break
        return found, tried

    def _trials(self, base: Answered, spent: Sequence[Name]) -> tuple[list[Trial], list[Trial]]:
        """Rearranged rows, and other scales, of kinds that have explained nothing yet."""
        if not self.trials:
            return [], []
        moves = [t for t in rearranged(base.use, self.unit) if t.name not in spent]
        rescaled = any(name in SCALES for name in spent)
        return moves, [] if rescaled else scaled(base.use, self.unit)

    def _best(
        self,
        base: Answered,
        order: Explanation | None,
        moves: list[Trial],
        scales: list[Trial],
        tests: int,
    ) -> Explanation | None:
        """The best explanation of its kind; scales are asked about only if nothing else solves it.

        Classes in another order can look like colours in another order, where classes differ by
        colour, but not the other way round: so rows come first where both do as well.
        """
        best = best_of(base, moves, self.interview, tests)
        if not any(known and known.solves for known in (order, best)):
            scale = best_of(base, scales, self.interview, tests)
            best = max((e for e in (best, scale) if e), key=_share, default=None)
        if order and (best is None or _share(order) > _share(best) + SURPLUS):
            return order
        return best


def _share(explanation: Explanation) -> float:
    return float(explanation.after.float().mean())

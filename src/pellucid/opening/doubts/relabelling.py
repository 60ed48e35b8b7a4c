"""Guesses at labels: classes numbered from one, or in another order than the model's outputs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from pellucid.opening.doubts.doubt import Name, options
from pellucid.opening.doubts.explanation import Explanation, gains, p_value
from pellucid.opening.doubts.use import Answered
from pellucid.opening.facts import Facts
from pellucid.opening.fitting import are_names
from pellucid.shapes import Labels, Verdicts

MENDED = 0.5  # of the errors: the best of all orders mends some of any model's
LISTED = 20  # classes whose order a sentence lists
ORDERS = 3  # guesses: two shifts, and the best of all orders
NOWHERE = -3  # a label that no model answers
SURPLUS = 0.05  # of the rows: by so much another order must be better than a shift

LABELS: tuple[Name, ...] = ("labels-shifted", "labels-permuted")

Outputs = Mapping[int, int]  # the output of each class of the data


@dataclass(frozen=True, kw_only=True)
class Order:
    """One guess at the order of classes."""

    name: Name
    what: str  # goes on "right on 90 of 100 rows ..."
    mend: str  # what to do to the data
    guessed: Outputs  # as it is tested
    whole: Outputs  # as all rows show it
    rows: slice  # that are tested


def relabelled(base: Answered, names: tuple[str, ...], tests: int) -> Explanation | None:
    """The order of classes that explains the answers best, if one does; nothing is asked for it.

    A shift by one is tested on all rows; any other order is found on the first half of them and
    tested on the second.

    Args:
        base: what the model answered, rows in an order that says nothing of their classes.
        names: of the classes in the data.
        tests: how many guesses are tried in all.
    """
    best, half = _permutation(base), len(base.labels) // 2
    for shift in (_shift(base, -1), _shift(base, 1)):
        if shift is None:
            continue
        worse = int((_right(base, best)[half:]).sum() - (_right(base, shift)[half:]).sum())
        if worse <= SURPLUS * half:
            best = shift
            break
    return _tested(base, best, names, tests)


def _tested(base: Answered, order: Order, names: tuple[str, ...], tests: int) -> Explanation | None:
    before, after = base.right[order.rows], _right(base, order)[order.rows]
    if not gains(before, after, tests, MENDED):
        return None
    labels = _named(order.whole, names, base.classes)
    instead = None if labels is None else Facts(labels=labels)
    return Explanation(
        name=order.name,
        what=order.what,
        advice=order.mend if instead is None else f"declare {options(instead)}, or {order.mend}",
        instead=instead,
        before=before,
        after=after,
        p=p_value(before, after, tests),
        answered=base.with_labels(_renumbered(base.use.y, order.whole)),
    )


def _shift(base: Answered, by: int) -> Order | None:
    """Every class one output on or back; None where that is but a swap of two."""
    y, size = base.use.y, base.classes
    if size == 2 and not (int(y.min()) + by >= 0 and int(y.max()) + by < size):
        return None
    classes = y.unique().tolist()
    outputs = {k: (k + by) % size for k in classes}
    step = "subtract 1 from y" if by < 0 else "add 1 to y"
    return Order(
        name="labels-shifted",
        what=f"if the data number the classes {'from 1' if by < 0 else 'one below the outputs'}",
        mend=step if all(0 <= k + by < size for k in classes) else _listed(outputs),
        guessed=outputs,
        whole=outputs,
        rows=slice(None),
    )


def _permutation(base: Answered) -> Order:
    half = len(base.labels) // 2
    whole = _assigned(base.labels, base.use.y)
    return Order(
        name="labels-permuted",
        what="with its outputs taken as the classes in another order, found on other rows",
        mend=_listed(whole),
        guessed=_assigned(base.labels[:half], base.use.y[:half]),
        whole=whole,
        rows=slice(half, None),
    )


def _listed(outputs: Outputs) -> str:
    pairs = [
        f"class {k} is output {output}" for k, output in sorted(outputs.items()) if k != output
    ]
    return f"renumber y ({', '.join(pairs[:LISTED])}{', ...' if len(pairs) > LISTED else ''})"


def _assigned(labels: Labels, y: Labels) -> Outputs:
    """Each class's output, one to one, so that most rows are right; only pairs that were seen."""
    seen = np.unique(np.concatenate([labels.numpy(), y.numpy()]))
    table = np.zeros((len(seen), len(seen)), np.int64)
    np.add.at(table, (np.searchsorted(seen, y.numpy()), np.searchsorted(seen, labels.numpy())), 1)
    table[:, seen < 0] = 0  # no output
    table[seen < 0] = 0  # no class
    classes, outputs = linear_sum_assignment(table, maximize=True)
    return {
        int(seen[k]): int(seen[output])
        for k, output in zip(classes, outputs, strict=True)
        if table[k, output]
    }


def _renumbered(y: Labels, outputs: Outputs) -> Labels:
    """The output of each row's class; NOWHERE for classes that were given none."""
    return y.clone().apply_(lambda k: outputs.get(k, NOWHERE))


def _right(base: Answered, order: Order) -> Verdicts:
    return base.labels == _renumbered(base.use.y, order.guessed)


def _named(outputs: Outputs, names: tuple[str, ...], size: int) -> tuple[str, ...] | None:
    """The names in the order of the outputs; None if classes have none, or one was not seen."""
    if not are_names(names) or {*outputs} != {*range(len(names))} or len(names) != size:
        return None
    if {*outputs.values()} != {*range(size)} or len({*names}) < size:
        return None
    whose = {output: names[k] for k, output in outputs.items()}
    return tuple(whose[output] for output in range(size))

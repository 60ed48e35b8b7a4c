"""What looks wrong in answers and rows as they are: nothing more is asked for these."""

from typing import Literal

import numpy as np

from pellucid.opening.doubts.doubt import Doubt, options
from pellucid.opening.doubts.extent import extent
from pellucid.opening.doubts.use import Answered, Use
from pellucid.opening.facts import Facts
from pellucid.statistics import clopper_pearson

SUMS = 1e-3  # probabilities and what is too regular for logits: their sums are this near to 1
ROUNDED = 0.1  # probabilities may be rounded: their sums are this near to 1
MOST = 0.95  # of the answers: a model that gives so many one class
OTHERS = 10  # rows of other classes, from which on that means something
CAUGHT = 0.05  # of the rows of other classes
VARIED = 0.01  # of the deviation of all outputs: what rounding by batch size does not reach
SHUFFLES = 999
SIGN = 0.01  # the level at which answers have something to do with the labels


def misread(answered: Answered) -> Doubt | None:
    """Outputs that are read as logits but are probabilities, or the other way round."""
    raw, emits = answered.raw, answered.use.opened.facts.emits
    if raw is None or not raw.isfinite().all() or raw.shape[1] < 2:
        return None
    off = (raw.double().sum(-1) - 1).abs()
    shares = bool(((raw >= -SUMS) & (raw <= 1 + SUMS)).all())
    figures: dict[str, int | float] = {
        "rows": len(raw),
        "least": float(raw.min()),
        "greatest": float(raw.max()),
        "sum_off": float(off.median()),
    }
    where = f"All {len(raw)} rows of outputs lie in [{raw.min():.3g}, {raw.max():.3g}]"
    if emits == "logits" and shares and float(off.max()) < SUMS:
        return _emitting(
            "probabilities",
            f"{where} and sum to 1, so they are probabilities and no logits, and margins and "
            "gradients would be those of a second softmax",
            figures,
        )
    if emits == "probabilities" and not (shares and float(off.median()) < ROUNDED):
        return _emitting(
            "logits",
            f"{where} and their sums differ from 1 by {off.median():.3g} in the median, so they "
            "are no probabilities",
            figures,
        )
    return None


def saturated(answered: Answered) -> Doubt | None:
    """Probabilities that are exactly 1 on most rows."""
    raw = answered.raw
    if raw is None or answered.use.opened.facts.emits != "probabilities":
        return None
    full = int((raw.amax(-1) == 1).sum())
    if 2 * full <= len(raw):
        return None
    return Doubt(
        name="saturated",
        sentence=(
            f"On {full} of {len(raw)} rows one probability is exactly 1, where scores tell "
            "nothing apart and gradients vanish: if the model can give its logits, let it and "
            "declare --emits logits."
        ),
        figures={"rows": len(raw), "saturated": full},
    )


def out_of_range(use: Use, unit: tuple[float, float]) -> Doubt | None:
    """Rows that leave the bounds, or use a small part of them."""
    seen = extent(use)
    if seen.fits:
        return None
    instead = Facts(bounds=unit)
    spec = use.opened.spec().dense()
    how = (
        f"{seen.outside} of {len(use.x)} rows go outside them"
        if seen.outside
        else f"all {len(use.x)} rows lie in a small part of them"
    )
    return Doubt(
        name="range",
        sentence=(
            f"The bounds are {spec.low:g} and {spec.high:g}, but {how}, with values from "
            f"{seen.least:.4g} to {seen.most:.4g}: declare {options(instead)} if the model takes "
            "such values, or bring the rows to the bounds."
        ),
        figures={
            "rows": len(use.x),
            "outside": seen.outside,
            "least": seen.least,
            "greatest": seen.most,
        },
        instead=instead,
    )


def without_output(answered: Answered) -> Doubt | None:
    """Labels for which the model has no output."""
    y, size = answered.use.y, answered.classes
    lost = int(((y < 0) | (y >= size)).sum())
    if not lost:
        return None
    return Doubt(
        name="labels-outside",
        sentence=(
            f"The model has {size} classes, numbered from 0, but {lost} of {len(y)} rows have "
            f"labels up to {int(y.max())}: number the labels as the outputs are, or take the "
            "data that the model is for."
        ),
        figures={"rows": len(y), "outside": lost, "greatest": int(y.max()), "classes": size},
    )


def not_finite(answered: Answered) -> Doubt | None:
    """Rows whose answer is NaN or infinite."""
    rows, lost = len(answered.labels), answered.invalid
    if not lost:
        return None
    return Doubt(
        name="not-finite",
        sentence=(
            f"On {lost} of {rows} rows the model answers what is not finite: check --mean, --std "
            "and --dtype, and the weights."
        ),
        figures={"rows": rows, "invalid": lost},
    )


def unsteady(first: Answered, again: Answered) -> Doubt | None:
    """Other answers to the same rows, asked a second time in another order."""
    rows = len(again.labels)
    if first.raw is None or again.raw is None:
        others = first.labels[:rows] != again.labels.flip(0)
    else:
        one, two = first.raw[:rows].nan_to_num(), again.raw.flip(0).nan_to_num()
        others = ((one - two).abs() > VARIED * first.raw.nan_to_num().std()).any(-1)
    if not others.any():
        return None
    return Doubt(
        name="nondeterministic",
        sentence=(
            f"The model answers {int(others.sum())} of {rows} rows otherwise when they are asked "
            "about a second time, in another order: put it in evaluation mode (dropout, batch "
            "norm), or expect answers that cannot be repeated."
        ),
        figures={"rows": rows, "changed": int(others.sum())},
    )


def one_class(answered: Answered) -> Doubt | None:
    """A model that gives nearly all rows one class, and misses the rows of others."""
    labels, y = answered.labels, answered.use.y
    top, rows = int(labels.mode().values), len(labels)
    given, others = int((labels == top).sum()), y != top
    caught = int((answered.right & others).sum())
    if top < 0 or given < MOST * rows:
        return None
    if int(others.sum()) < OTHERS or caught > CAUGHT * int(others.sum()):
        return None
    return Doubt(
        name="one-class",
        sentence=(
            f"The model answers class {top} on {given} of {rows} rows, and is right on {caught} of "
            f"the {int(others.sum())} rows of other classes: check that its weights are loaded and "
            "trained, and --mean, --std and --bounds."
        ),
        figures={"rows": rows, "class": top, "given": given, "caught": caught},
    )


def at_chance(answered: Answered, ruled_out: int) -> Doubt | None:
    """Accuracy that guessing reaches too, by answers that have nothing to do with the labels.

    Args:
        answered: what the model answered.
        ruled_out: how many guesses at the cause did not make it better.
    """
    rows, right = len(answered.labels), answered.hits
    low, high = (float(bound) for bound in clopper_pearson(right, rows))
    one, most = guess(answered)
    if low > one and high >= most:
        return None
    if (p := _unrelated(answered)) <= SIGN:
        return None
    tried = (
        f", and {ruled_out} other ways to put the rows or to number the classes do not help"
        if ruled_out
        else ""
    )
    return Doubt(
        name="chance",
        sentence=(
            f"The model is right on {right} of {rows} rows, which guessing reaches too (one class "
            f"of {answered.classes}, or {most:.0%} for the most frequent){tried}: check that it is "
            "trained, and trained for such data and classes."
        ),
        figures={"rows": rows, "right": right, "chance": one, "most": most, "p": p},
    )


def guess(answered: Answered) -> tuple[float, float]:
    """The share of rows that any guess is right on, and the share of the most frequent class."""
    return 1 / answered.classes, float(answered.use.y.bincount().max()) / len(answered.use.y)


def _emitting(
    emits: Literal["logits", "probabilities"], sentence: str, figures: dict[str, int | float]
) -> Doubt:
    instead = Facts(emits=emits)
    return Doubt(
        name=emits,
        sentence=f"{sentence}: declare {options(instead)}.",
        figures=figures,
        instead=instead,
    )


def _unrelated(answered: Answered) -> float:
    """How often the same answers in random order are right on as many rows, by permutations."""
    labels, y = answered.labels.numpy(), answered.use.y.numpy()
    rng = np.random.default_rng(0)
    orders = rng.permuted(np.tile(labels, (SHUFFLES, 1)), axis=1)
    as_many = int(((orders == y).sum(1) >= answered.hits).sum())
    return (1 + as_many) / (1 + SHUFFLES)

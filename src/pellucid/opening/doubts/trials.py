"""Other ways to put rows to a model: what is asked when it is not right on most of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pellucid.opening.doubts.doubt import Name, changed, options
from pellucid.opening.doubts.extent import bounds_for
from pellucid.opening.doubts.use import Use
from pellucid.opening.facts import Facts
from pellucid.opening.opened import source
from pellucid.shapes import Batch
from pellucid.spec import Image

# mean and std of the training images, on the scale from 0 to 1, as they are published
COLOUR = {
    "ImageNet's mean and std": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "CIFAR-10's mean and std": ((0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)),
    "ImageNet's mean alone, from 0 to 255": (
        (123.68 / 255, 116.779 / 255, 103.939 / 255),
        (1 / 255, 1 / 255, 1 / 255),
    ),
}
GREY = {
    "MNIST's mean and std": ((0.1307,), (0.3081,)),
    "Fashion-MNIST's mean and std": ((0.286,), (0.353,)),
}
ALIKE = 4  # rows by which it is seen that two trials give the model the same


def _same(x: Batch) -> Batch:
    return x


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """One guess at what is wrong."""

    name: Name
    what: str  # how the rows are put: goes on "right on 90 of 100 rows ..."
    advice: str  # what to do if the guess is good
    facts: Facts  # with which the model is used
    change: Callable[[Batch], Batch] = _same
    instead: Facts | None = None  # the facts among them that are new

    def applied(self, use: Use) -> Use:
        """The use that this trial is of."""
        return replace(use.with_facts(self.facts), x=self.change(use.x))


def rearranged(use: Use, unit: tuple[float, float]) -> list[Trial]:
    """Trials of the order of channels, axes and intensities; unit: least and greatest value."""
    spec, facts = source(use.opened.facts), use.opened.facts
    if not isinstance(spec, Image):
        return []
    channels, height, width = spec.shape
    trials = []
    if channels == 3:
        trials.append(_rows("channels", "with red and blue exchanged", _BGR, facts, _flipped))
    if channels > 1:
        trials += _laid_out(facts, spec.shape)
    if height == width:
        trials.append(_rows("transposed", "with rows and columns exchanged", _TURN, facts, _turned))
    dark = "with dark and light exchanged"
    trials.append(_rows("inverted", dark, _INVERT, facts, lambda x: unit[0] + unit[1] - x))
    return list(_distinct(use, trials))


def scaled(use: Use, unit: tuple[float, float]) -> list[Trial]:
    """Trials of the range that the model wants, and of mean and std; the simplest come first."""
    now, bounds, trials = use.opened.facts, bounds_for(use, unit), list[Trial]()
    image = isinstance(source(now), Image)
    found = [*_declared(now, unit)]
    if image:
        found += [*_ranges(unit), *_published(use.x.shape[1], unit)]
    found += _own(use.x, image)
    for name, what, mean, std in found:
        means = now.mean if _short(mean) == (now.mean or (0.0,)) else _short(mean)
        stds = now.std if _short(std) == (now.std or (1.0,)) else _short(std)
        facts = replace(now, mean=means, std=stds, bounds=bounds)
        instead = changed(now, facts)
        advice = f"declare {options(instead)}"
        trials.append(Trial(name=name, what=what, advice=advice, facts=facts, instead=instead))
    return list(_distinct(use, trials))


Scale = tuple[Name, str, tuple[float, ...], tuple[float, ...]]

_BGR = "give the rows with their channels in the other order, as in x[:, ::-1]"
_TURN = "give the rows turned, as in x.swapaxes(-1, -2)"
_INVERT = "give the rows inverted, as in low + high - x"


def _rows(
    name: Name, what: str, advice: str, facts: Facts, change: Callable[[Batch], Batch]
) -> Trial:
    return Trial(name=name, what=what, advice=advice, facts=facts, change=change)


def _laid_out(facts: Facts, shape: tuple[int, int, int]) -> Iterator[Trial]:
    channels, height, width = shape
    other = replace(facts, layout="chw" if facts.layout == "hwc" else "hwc")
    yield Trial(
        name="layout",
        what=f"in the layout {other.layout}",
        advice=f"declare --layout {other.layout}",
        facts=other,
        instead=Facts(layout=other.layout),
    )
    yield _rows(
        "layout",
        "with their numbers read as height, width, channels",
        f"mend the rows, as in x.reshape(-1, {height}, {width}, {channels}).transpose(0, 3, 1, 2)",
        facts,
        lambda x: x.reshape(-1, height, width, channels).movedim(-1, 1),
    )
    yield _rows(
        "layout",
        "with their numbers read as channels, height, width",
        f"mend the rows, as in x.transpose(0, 2, 3, 1).reshape(-1, {channels}, {height}, {width})",
        facts,
        lambda x: x.movedim(1, -1).reshape(-1, channels, height, width),
    )


def _flipped(x: Batch) -> Batch:
    return x.flip(1)


def _turned(x: Batch) -> Batch:
    return x.transpose(-1, -2)


def _declared(facts: Facts, unit: tuple[float, float]) -> Iterator[Scale]:
    """Without what is declared, or with it on another scale."""
    mean, std = facts.mean or (0.0,), facts.std or (1.0,)
    if (mean, std) == ((0.0,), (1.0,)):
        return
    yield "normalisation", "without mean and std", (0.0,), (1.0,)
    yield ("range", "with the mean and std taken as of a range from 0 to 1", *_on(unit, mean, std))
    small = tuple(m / 255 for m in mean), tuple(s / 255 for s in std)
    yield ("range", "with the mean and std taken as of a range from 0 to 255", *_on(unit, *small))


def _ranges(unit: tuple[float, float]) -> Iterator[Scale]:
    yield ("range", "brought to the range from 0 to 1", *_on(unit, (0.0,), (1.0,)))
    yield ("range", "brought to the range from 0 to 255", *_on(unit, (0.0,), (1 / 255,)))
    yield ("normalisation", "brought to the range from -1 to 1", *_on(unit, (0.5,), (0.5,)))


def _published(channels: int, unit: tuple[float, float]) -> Iterator[Scale]:
    for whose, (mean, std) in {1: GREY, 3: COLOUR}.get(channels, {}).items():
        yield ("normalisation", f"normalised by {whose}", *_on(unit, mean, std))


def _own(rows: Batch, image: bool) -> Iterator[Scale]:
    """By what the data shows: mean and std, one a channel or column; a table's least and most."""
    across = [0, *range(2, rows.ndim)]
    std, mean = torch.std_mean(rows.double(), across, correction=0)
    yield "normalisation", "normalised by the data's own mean and std", _numbers(mean), _width(std)
    if not image:
        least, most = rows.double().amin(across), rows.double().amax(across)
        yield "range", "with each column from 0 to 1", _numbers(least), _width(most - least)


def _on(
    unit: tuple[float, float], mean: tuple[float, ...], std: tuple[float, ...]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and std of a range from 0 to 1, in the units of the data."""
    low, width = unit[0], unit[1] - unit[0]
    return tuple(low + width * m for m in mean), tuple(width * s for s in std)


def _numbers(values: Tensor) -> tuple[float, ...]:
    return tuple(values.tolist())


def _width(values: Tensor) -> tuple[float, ...]:
    """Widths that can divide: a column that does not vary keeps its scale."""
    return _numbers(values.where(values > 0, torch.ones_like(values)))


def _short(values: tuple[float, ...]) -> tuple[float, ...]:
    """As precise as the sentence says them."""
    return tuple(float(f"{value:.6g}") for value in values)


def _distinct(use: Use, trials: list[Trial]) -> Iterator[Trial]:
    """Those trials that give the model something else than the rows as they are, each once."""
    seen = [use.rows(slice(ALIKE)).given().double()]
    for trial in trials:
        given = trial.applied(use.rows(slice(ALIKE))).given().double()
        if not any(g.shape == given.shape and torch.allclose(g, given) for g in seen):
            seen.append(given)
            yield trial

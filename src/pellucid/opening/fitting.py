"""Rows of data as an opened model takes them: its axes, and its order of classes."""

from dataclasses import replace

import torch

from pellucid.data import Dataset
from pellucid.opening.opened import Opened


def fitted(data: Dataset, opened: Opened) -> Dataset:
    """The rows laid out as the model takes them, and their classes numbered as its outputs are.

    Classes are renumbered only where model and data have the same names (case and surrounding
    space apart) in another order; a class that is called by its own number has no name. What was
    done, and names that fit in part alone, are told in `guessed`.

    Raises:
        BadData: the rows have another shape than the model takes.
    """
    suited = data.suited(opened.spec())
    outputs, classes = opened.facts.labels, suited.class_names
    if outputs is None or not (are_names(outputs) and are_names(classes)):
        return suited
    theirs, ours = _plain(outputs), _plain(classes)
    if theirs == ours:
        return suited
    if sorted(theirs) != sorted(ours) or len({*ours}) < len(ours):
        return _noted(suited, _misfit(outputs, classes))
    where = torch.tensor([theirs.index(name) for name in ours])
    note = (
        "The data and the model have the same classes in another order, so the labels were "
        "renumbered to the model's order."
    )
    return _noted(replace(suited, y=where[suited.y], class_names=outputs), note)


def are_names(names: tuple[str, ...]) -> bool:
    """Whether classes have names of their own, and are not just numbered."""
    return any(name.strip() != str(number) for number, name in enumerate(names))


def _plain(names: tuple[str, ...]) -> list[str]:
    return [name.strip().casefold() for name in names]


def _noted(data: Dataset, note: str) -> Dataset:
    return replace(data, guessed=(*data.guessed, note))


def _misfit(outputs: tuple[str, ...], classes: tuple[str, ...]) -> str:
    theirs = _plain(outputs)
    odd = [
        name for name, plain in zip(classes, _plain(classes), strict=True) if plain not in theirs
    ]
    unlike = f"; '{odd[0]}' is none of the model's" if odd else ""
    return (
        f"The names of the data's {len(classes)} classes and of the model's {len(outputs)} do not "
        f"match one to one{unlike}, so the labels were left as they are numbered."
    )

"""Whole attributions of rows that are explained some at a time."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from pellucid.explain.attribution import Attribution
from pellucid.shapes import RowNumbers


def gathered(n: int, found: Iterable[tuple[RowNumbers, Attribution]]) -> Iterator[Attribution]:
    """What is known of all n rows after each finding about some; NaN in those still to come."""
    values = gap = agreement = None
    for rows, part in found:
        values = _placed(values, n, rows, part.values)
        gap = None if part.gap is None else _placed(gap, n, rows, part.gap)
        if part.agreement is not None:
            agreement = _placed(agreement, n, rows, part.agreement)
        yield Attribution(values=values, gap=gap, agreement=agreement)


def _placed(old: Tensor | None, n: int, rows: RowNumbers, new: Tensor) -> Tensor:
    whole = new.new_full((n, *new.shape[1:]), torch.nan) if old is None else old.clone()
    whole[rows] = new
    return whole

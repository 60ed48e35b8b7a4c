"""Rows: what one question asks about, whatever its form."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatch
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, eq=False)
class Ragged:
    """Rows that are sets of items: values (total, *item), lengths (*probes, rows)."""

    values: Tensor
    lengths: Tensor

    @property
    def lead(self) -> torch.Size:
        """The probe axes and the rows."""
        return self.lengths.shape

    def flat(self) -> Self:
        """The same rows with the probe axes merged into them."""
        return type(self)(self.values, self.lengths.reshape(-1))

    def arguments(self) -> tuple[Tensor, ...]:
        """What a module is called with."""
        return self.values, self.lengths

    def __len__(self) -> int:
        return self.lengths.shape[-1]

    def __getitem__(self, rows: Tensor) -> Self:
        lengths = self.lengths[rows]
        first = (self.lengths.cumsum(0) - self.lengths)[rows]
        within = torch.arange(int(lengths.sum())) - (lengths.cumsum(0) - lengths).repeat_interleave(
            lengths
        )
        return type(self)(self.values[first.repeat_interleave(lengths) + within], lengths)


@dataclass(frozen=True, eq=False)
class Masked:
    """Rows that are token sequences: tokens and mask, both (*probes, rows, length)."""

    tokens: Tensor
    mask: Tensor

    @property
    def lead(self) -> torch.Size:
        """The probe axes and the rows."""
        return self.tokens.shape[:-1]

    def flat(self) -> Self:
        """The same rows with the probe axes merged into them."""
        length = self.tokens.shape[-1]
        return type(self)(self.tokens.reshape(-1, length), self.mask.reshape(-1, length))

    def arguments(self) -> tuple[Tensor, ...]:
        """What a module is called with."""
        return self.tokens, self.mask

    def __len__(self) -> int:
        return self.tokens.shape[-2]

    def __getitem__(self, rows: Tensor) -> Self:
        return type(self)(self.tokens[rows], self.mask[rows])


Rows = Tensor | Ragged | Masked


def flat(x: Rows, probe_axes: int) -> Rows:
    """A question with its probe axes merged into the rows."""
    return x.flatten(0, probe_axes) if isinstance(x, Tensor) else x.flat()


@singledispatch
def concat(first: Rows, *rest: Rows) -> Rows:
    """Join rows of one form, in order."""
    raise TypeError(f"{type(first).__name__} and {len(rest)} more are no rows")


@concat.register
def _(first: Tensor, *rest: Tensor) -> Tensor:
    return torch.cat([first, *rest])


@concat.register
def _(first: Ragged, *rest: Ragged) -> Ragged:
    parts = [first, *rest]
    return Ragged(torch.cat([p.values for p in parts]), torch.cat([p.lengths for p in parts]))


@concat.register
def _(first: Masked, *rest: Masked) -> Masked:
    parts = [first, *rest]
    width = max(p.tokens.shape[-1] for p in parts)

    def widen(t: Tensor) -> Tensor:
        return functional.pad(t, (0, width - t.shape[-1]))

    return Masked(
        torch.cat([widen(p.tokens) for p in parts]), torch.cat([widen(p.mask) for p in parts])
    )


@singledispatch
def row_bytes(rows: Rows) -> Iterator[bytes]:
    """Each row's content, for hashing."""
    raise TypeError(f"{type(rows).__name__} is not a form of rows")


@row_bytes.register
def _(rows: Tensor) -> Iterator[bytes]:
    table = rows.detach().cpu().contiguous().numpy()
    return (row.tobytes() for row in table)


@row_bytes.register
def _(rows: Ragged) -> Iterator[bytes]:
    sets = rows.values.detach().cpu().split(rows.lengths.tolist())
    return (items.contiguous().numpy().tobytes() for items in sets)


@row_bytes.register
def _(rows: Masked) -> Iterator[bytes]:
    for tokens, mask in zip(rows.tokens.cpu(), rows.mask.cpu().bool(), strict=True):
        # where the mask stands counts; padding at the end does not
        end = int(mask.nonzero().max()) + 1 if bool(mask.any()) else 0
        shown = tokens.masked_fill(~mask, 0)[:end].contiguous()
        yield shown.numpy().tobytes() + mask[:end].contiguous().numpy().tobytes()


def chunks(rows: Rows, size: int) -> Iterator[Rows]:
    """The same rows in order, at most `size` at a time."""
    if len(rows) <= size:
        yield rows
        return
    if isinstance(rows, Tensor):
        yield from rows.split(size)
        return
    for first in range(0, len(rows), size):
        yield rows[torch.arange(first, min(first + size, len(rows)))]

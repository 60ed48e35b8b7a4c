"""One stream of random numbers a row: what a row draws does not depend on its batch mates."""

from collections.abc import Sequence

import torch
import xxhash
from torch import Tensor

from pellucid.rows import Rows, row_bytes
from pellucid.shapes import Draws


def ids_of(x: Rows) -> list[str]:
    """A name for each row, made of its content alone."""
    return [xxhash.xxh3_128_hexdigest(row) for row in row_bytes(x)]


class Streams:
    """A random stream for each row, keyed by the seed and the row's id.

    Draws are made in float32 and cast, so that both precisions see the same numbers. Two rows of
    one id draw the same numbers. A stream moves on with each draw; indexing shares it.
    """

    def __init__(self, seed: int, ids: Sequence[str], like: Tensor) -> None:
        """Open the streams; draws have the dtype and device of `like`."""
        # torch's CPU generator ignores the high half of a 64-bit seed
        self._generators = [
            torch.Generator().manual_seed(xxhash.xxh32_intdigest(f"{seed}/{i}".encode()))
            for i in ids
        ]
        self._like = like

    def __len__(self) -> int:
        return len(self._generators)

    def __getitem__(self, rows: Tensor) -> "Streams":
        part = Streams(0, (), self._like)
        index = rows.nonzero()[:, 0] if rows.dtype == torch.bool else rows
        part._generators = [self._generators[i] for i in index.tolist()]
        return part

    def normal(self, k: int, shape: Sequence[int]) -> Draws:
        """Draw k standard normal arrays of `shape` for each row: (k, rows, *shape)."""
        out = torch.empty(len(self), k, *shape, dtype=torch.float32)
        for row, generator in zip(out, self._generators, strict=True):
            row.normal_(generator=generator)
        return out.to(self._like).transpose(0, 1)

    def uniform(self, k: int, shape: Sequence[int]) -> Draws:
        """Draw k arrays of `shape`, uniform in [0, 1), for each row: (k, rows, *shape)."""
        out = torch.empty(len(self), k, *shape, dtype=torch.float32)
        for row, generator in zip(out, self._generators, strict=True):
            row.uniform_(generator=generator)
        return out.to(self._like).transpose(0, 1)

"""Occlusion: what the target loses when a window of the input is hidden."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from pellucid.box.protocols import ScoreBox
from pellucid.errors import UserError
from pellucid.explain.attribution import Attribution
from pellucid.explain.perturb._game import block
from pellucid.explain.perturb._hiding import Baseline, hidden
from pellucid.explain.targets import Target
from pellucid.shapes import Batch
from pellucid.spec import Dense, Image

Window = tuple[slice, slice]  # which rows and columns of an image


@dataclass(frozen=True, kw_only=True)
class Occlusion:
    """Slide a window over an image; a value is the mean drop over the windows that cover it.

    The numbers of a vector are hidden one by one.

    Source: Zeiler and Fergus, ECCV 2014, section 4.2.
    Needs: ScoreBox; explains log-probabilities.
    Cost: one query a row and window, and one for the row itself; about 50 windows.
    Differs: windows overlap, and their drops are averaged; the map has the size of the input.
    """

    window: float = 0.25  # side of the window, of the image's shorter side
    stride: float = 0.125  # from a window to the next, of the same side
    baseline: Baseline = None  # what a window shows; None: the image's mean, of a vector 0

    def __post_init__(self) -> None:
        if not 0 < self.stride <= self.window <= 1:
            raise UserError(
                f"Windows must not leave gaps: a window of {self.window:g} of the image takes a "
                "stride above 0 and no longer than itself, and neither is above 1."
            )

    def __call__(self, box: ScoreBox, x: Batch, target: Target) -> Iterator[Attribution]:
        """Yield the mean drops."""
        dense = box.spec.dense()
        channels, height, width = dense.shape if isinstance(dense, Image) else (1, 1, x[0].numel())
        one_part = torch.zeros(len(x), height * width, dtype=torch.long, device=x.device)
        absent = hidden(self.baseline, box.spec, x, one_part)
        image, absent = (rows.reshape(-1, channels, height, width) for rows in (x, absent))
        before = target(box.scores(x))
        total, covers = torch.zeros_like(image[:, 0]), torch.zeros_like(image[0, 0])
        windows = self._windows(dense, height, width)
        for first in range(0, len(windows), block(x)):
            some = windows[first : first + block(x)]
            asked = image.repeat(len(some), 1, 1, 1, 1)
            for probe, window in zip(asked, some, strict=True):
                probe[..., *window] = absent[..., *window]
            after = target(box.scores(asked.reshape(-1, *x.shape)))
            for drop, window in zip(before - after, some, strict=True):
                total[:, *window] += drop[:, None, None].to(x)
                covers[window] += 1
        values = (total / covers)[:, None].expand(image.shape)
        yield Attribution(values=values.reshape(x.shape))

    def _windows(self, dense: Dense, height: int, width: int) -> list[Window]:
        """All windows, the last of a line flush with the border."""
        shorter = min(height, width) if isinstance(dense, Image) else 1
        side, step = (max(1, round(share * shorter)) for share in (self.window, self.stride))
        return [
            (slice(top, top + side), slice(left, left + side))
            for top in _places(height, side, step)
            for left in _places(width, side, step)
        ]


def _places(length: int, side: int, step: int) -> list[int]:
    """Where windows begin along one side."""
    return sorted({*range(0, length - side, step), length - side})

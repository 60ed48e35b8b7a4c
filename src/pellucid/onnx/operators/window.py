"""Where the windows of convolutions and pools lie: strides, dilations and padding."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from pellucid.onnx.operators.call import Call


@dataclass(frozen=True, kw_only=True)
class Window:
    """How windows of a given size move over the spatial axes."""

    strides: list[int] | None  # None: 1 on every axis
    dilations: list[int] | None  # None: 1 on every axis
    pads: list[int] | None  # before each axis, then after each; None: 0
    auto: str  # NOTSET, VALID, SAME_UPPER or SAME_LOWER

    @classmethod
    def of(cls, call: Call) -> "Window":
        """The windows of a call."""
        return cls(
            strides=call.integers("strides"),
            dilations=call.integers("dilations"),
            pads=call.integers("pads"),
            auto=call.text("auto_pad", "NOTSET"),
        )

    def steps(self, rank: int) -> tuple[int, ...]:
        """The stride along each axis."""
        return tuple(self.strides or [1] * rank)

    def gaps(self, rank: int) -> tuple[int, ...]:
        """The dilation along each axis."""
        return tuple(self.dilations or [1] * rank)

    def margins(self, sizes: tuple[int, ...], kernel: tuple[int, ...]) -> list[tuple[int, int]]:
        """The padding before and after each axis of an input of these sizes."""
        rank = len(kernel)
        if self.auto == "NOTSET":
            pads = self.pads or [0] * (2 * rank)
            return list(zip(pads[:rank], pads[rank:], strict=True))
        if self.auto == "VALID":
            return [(0, 0)] * rank
        spans = zip(sizes, kernel, self.steps(rank), self.gaps(rank), strict=True)
        return [split(_missing(*span), self.auto) for span in spans]


def _missing(size: int, kernel: int, stride: int, gap: int) -> int:
    """What has to be added for one window to start at every stride of the input."""
    return max((-(-size // stride) - 1) * stride + (kernel - 1) * gap + 1 - size, 0)


def split(total: int, auto: str) -> tuple[int, int]:
    """Padding in two halves; the odd one goes after (SAME_UPPER) or before."""
    half = total // 2
    return (half, total - half) if auto == "SAME_UPPER" else (total - half, half)


def symmetric(margins: list[tuple[int, int]]) -> bool:
    """Whether each axis has as much padding before as after."""
    return all(before == after for before, after in margins)


def padded(x: Tensor, margins: list[tuple[int, int]], value: float = 0.0) -> Tensor:
    """The tensor with its last axes padded (or cropped, where a margin is negative)."""
    flat = [size for margin in reversed(margins) for size in margin]
    return functional.pad(x, flat, value=value) if any(flat) else x

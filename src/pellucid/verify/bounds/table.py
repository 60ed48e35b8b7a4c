"""The table of bounds: the rule of each operator of the importer that has one."""

from math import inf, prod

from pellucid.verify.bounds.curves import concave, convex, cut, s_shaped
from pellucid.verify.bounds.links import Link
from pellucid.verify.bounds.rule import Product, Rising, Rule, Sum, Told, Valley
from pellucid.verify.bounds.special import (
    Bent,
    Cast,
    Inverse,
    Largest,
    Norm,
    Power,
    Quotient,
    Softmax,
    corners,
    matrices,
)
from pellucid.verify.bounds.values import Interval, Use


def _window(use: Use) -> int:
    """The numbers in the window of a pool."""
    kernel = use.step.settings["kernel"]
    return prod(kernel) if isinstance(kernel, tuple) else 0


def _all(use: Use) -> int:
    """The numbers of the input."""
    return use.only.low[0].numel()


def _neighbours(use: Use) -> int:
    """The terms of a weighted mean of two numbers along each axis."""
    return 8 * use.only.low.ndim


def _zero(_use: Use) -> float:
    return 0.0


def _gelu(use: Use) -> float:
    """Where GELU is least; its approximation by tanh is least elsewhere."""
    exact = use.step.settings.get("approximate", "none") == "none"
    return -0.7517915246935645 if exact else -0.7524614220710162


def _hard_swish(_use: Use) -> float:
    return -1.5


def _mish(_use: Use) -> float:
    return -1.1924312145154961


def _middle_of_clip(use: Use) -> float:
    """A number between both ends; with one end alone, the curve turns nowhere."""
    low, high = (use.given[i] if i < len(use.given) else None for i in (1, 2))
    if isinstance(low, float) and isinstance(high, float):
        return (low + high) / 2
    return -inf if low is None else inf


def _clip(use: Use, out: Interval) -> Link:
    """Lines, if the ends are numbers."""
    numbers = all(end is None or isinstance(end, float) for end in use.given[1:])
    return s_shaped(_middle_of_clip)(use, out) if numbers else cut(use, out)


def _elu(use: Use, out: Interval) -> Link:
    """ELU is convex unless it leaves 0 more steeply to the left than to the right."""
    alpha = use.step.settings.get("alpha", 1.0)
    return (convex if isinstance(alpha, float) and alpha <= 1 else cut)(use, out)


def _half_way(use: Use) -> float:
    """Where a hard sigmoid is one half."""
    alpha, beta = use.step.settings["alpha"], use.step.settings["beta"]
    if isinstance(alpha, float) and isinstance(beta, float) and alpha > 0:
        return (0.5 - beta) / alpha
    return 0.0


MOVED = Sum(moved=True)
EXACT = Rising(exact=True)
TURNING = s_shaped(_zero)

# lines where the input has one sign: there, tighter bounds of it change nothing
ONE_SIGN = frozenset(("Abs", "LeakyRelu", "PRelu", "Relu"))

RULES: dict[str, Rule] = {
    # what is laid out anew
    **dict.fromkeys(
        (
            "Concat",
            "DepthToSpace",
            "Dropout",
            "Expand",
            "Flatten",
            "Gather",
            "GatherElements",
            "Identity",
            "Pad",
            "Reshape",
            "Slice",
            "SpaceToDepth",
            "Split",
            "Squeeze",
            "Tile",
            "Transpose",
            "Trilu",
            "Unsqueeze",
            "Where",
        ),
        MOVED,
    ),
    "Cast": Cast(),
    "CastLike": Cast(),
    "Neg": Sum(moved=True, minus=(0,)),
    "Shape": Told(),
    "Size": Told(),
    # sums
    "Add": Sum(),
    "AveragePool": Sum(terms=_window),
    "CumSum": Sum(terms=_all),
    "GlobalAveragePool": Sum(),
    "Mean": Sum(terms=lambda use: len(use.given)),
    "ReduceMean": Sum(),
    "ReduceSum": Sum(),
    "Resize": Sum(terms=_neighbours),
    "Sub": Sum(minus=(1,)),
    "Sum": Sum(terms=lambda use: len(use.given)),
    "Upsample": Sum(terms=_neighbours),
    # products
    "BatchNormalization": Product(factors=(0, 1, 4), offsets=(2,), negated=(3,)),
    "Conv": Product(offsets=(2,)),
    "ConvTranspose": Product(offsets=(2,)),
    "Div": Quotient(),
    "Einsum": Product(factors=tuple(range(8)), axes=()),
    "Gemm": Product(offsets=(2,), positive=("alpha", "beta")),
    "MatMul": Product(axes=(-2, -1), both=matrices),
    "Mul": Product(both=corners),
    # pieces of lines
    "Abs": Valley(bottom=_zero, least=0.0, line=convex),
    "Ceil": EXACT,
    "Clip": Rising(exact=True, line=_clip),
    "Floor": EXACT,
    "HardSigmoid": Rising(
        floor=1.0, least=0.0, line=s_shaped(_half_way), positive=("alpha", "beta")
    ),
    "LeakyRelu": Bent(),
    "PRelu": Bent(),
    "Relu": Rising(exact=True, line=convex),
    "Round": EXACT,
    "Sign": EXACT,
    "ThresholdedRelu": Rising(exact=True, positive=("threshold",)),
    # curves
    "Acos": Rising(falling=True, floor=1.0),
    "Asin": Rising(),
    "Atan": Rising(line=TURNING),
    "Celu": Rising(line=convex, positive=("alpha",)),
    "Cosh": Valley(bottom=_zero, least=1.0, line=convex),
    "Elu": Rising(line=_elu, positive=("alpha",)),
    "Erf": Rising(line=TURNING),
    "Exp": Rising(least=0.0, line=convex),
    "Gelu": Valley(bottom=_gelu, floor=1.0),
    "HardSwish": Valley(bottom=_hard_swish, floor=1.0),
    "Log": Rising(line=concave),
    "Mish": Valley(bottom=_mish, floor=1.0),
    "Pow": Power(),
    "Reciprocal": Inverse(),
    "Selu": Rising(positive=("alpha", "gamma")),
    "Sigmoid": Rising(least=0.0, line=TURNING),
    "Sinh": Rising(),
    "Softplus": Rising(least=0.0, line=convex),
    "Softsign": Rising(line=TURNING),
    "Sqrt": Rising(least=0.0, line=concave),
    "Tanh": Rising(line=TURNING),
    # the largest, sizes, shares
    "GlobalMaxPool": Largest(),
    "LogSoftmax": Softmax(log=True),
    "Max": Largest(),
    "MaxPool": Largest(),
    "Min": EXACT,
    "ReduceL1": Norm(),
    "ReduceL2": Norm(),
    "ReduceMax": Largest(),
    "ReduceMin": EXACT,
    "ReduceSumSquare": Norm(),
    "Softmax": Softmax(log=False),
}

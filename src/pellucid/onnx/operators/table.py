"""The table of operators: what ONNX calls them, and how each is built."""

from pellucid.onnx.operators import (
    activation,
    convolution,
    creation,
    elementwise,
    indexing,
    linear,
    normalisation,
    padding,
    pooling,
    reduction,
    resizing,
    shape,
)
from pellucid.onnx.operators.call import Operator

OPERATORS: dict[str, Operator] = {
    **activation.TABLE,
    **convolution.TABLE,
    **creation.TABLE,
    **elementwise.TABLE,
    **indexing.TABLE,
    **linear.TABLE,
    **normalisation.TABLE,
    **padding.TABLE,
    **pooling.TABLE,
    **reduction.TABLE,
    **resizing.TABLE,
    **shape.TABLE,
}

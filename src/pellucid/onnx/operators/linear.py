"""Matrix products."""

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from pellucid.onnx.operators.call import Call, Function, Operator, plain


def gemm(call: Call) -> Function:
    """Alpha A B + beta C, with A or B transposed where the attributes say so."""
    if (call.number("alpha", 1.0), call.number("beta", 1.0)) == (1.0, 1.0):
        return partial(
            _affine, trans_a=bool(call.integer("transA")), trans_b=bool(call.integer("transB"))
        )
    return partial(
        _scaled,
        alpha=call.number("alpha", 1.0),
        beta=call.number("beta", 1.0),
        trans_a=bool(call.integer("transA")),
        trans_b=bool(call.integer("transB")),
    )


def _affine(
    a: Tensor, b: Tensor, c: Tensor | None = None, *, trans_a: bool, trans_b: bool
) -> Tensor:
    rows, weight = a.T if trans_a else a, b if trans_b else b.T
    if c is None or c.ndim == 1:
        return functional.linear(rows, weight, c)
    return functional.linear(rows, weight) + c


def _scaled(
    a: Tensor,
    b: Tensor,
    c: Tensor | None = None,
    *,
    alpha: float,
    beta: float,
    trans_a: bool,
    trans_b: bool,
) -> Tensor:
    product = alpha * _affine(a, b, trans_a=trans_a, trans_b=trans_b)
    return product if c is None else product + beta * c


def einsum(call: Call) -> Function:
    """Sums of products in Einstein's notation."""
    return partial(_einsum, equation=call.text("equation", ""))


def _einsum(*terms: Tensor, equation: str) -> Tensor:
    return torch.einsum(equation, *terms)


TABLE = {
    "Einsum": Operator(build=einsum),
    "Gemm": Operator(build=gemm),
    "MatMul": plain(torch.matmul),
}

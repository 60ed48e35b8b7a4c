"""Every operator of the importer: its bounds hold in both types of floats, or are refused."""

import numpy as np
import pytest
import torch
from tests.onnx.operator_cases import CASES
from tests.onnx.operator_graphs import graph_of
from tests.verify.bounds.points import answers, assert_within, points

from pellucid.onnx.graph import Graph
from pellucid.onnx.operators.table import OPERATORS
from pellucid.verify.bounds.crown import crown
from pellucid.verify.bounds.interval import interval
from pellucid.verify.bounds.table import RULES
from pellucid.verify.bounds.values import NoBounds

NEWEST = torch.float64, max  # the rest is slow
FLOATS = [
    pytest.param(
        case,
        of(case.opsets),
        dtype,
        id=f"{number}-{case}-{of.__name__}-{dtype}",
        marks=[] if (dtype, of) == NEWEST else pytest.mark.slow,
    )
    for number, case in enumerate(CASES)
    for dtype in (torch.float64, torch.float32)
    for of in (max, min)[: len(case.opsets)]
    if case.x.dtype == np.float32 and case.x.ndim and np.isfinite(case.x).all()
]
UNBOUNDED = {
    *("And", "ArgMax", "ArgMin", "Cos", "Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN"),
    *("Less", "LessOrEqual", "Mod", "Not", "Or", "ReduceLogSum", "ReduceLogSumExp", "ReduceProd"),
    *("Sin", "Tan", "TopK", "Xor"),
    *("GroupNormalization", "InstanceNormalization", "LRN", "LayerNormalization"),
}
# operators with bounds that have none as their cases use them: to integers, as the exponent
PARTLY = {"Cast": "to another type", "CastLike": "to another type", "Pow": "with an exponent"}
CONSTANT = {"Constant", "ConstantOfShape", "Range"}  # never arrive with intervals


def boxes(case, dtype, radius=0.05):
    rows = torch.from_numpy(np.stack([case.x, np.flip(case.x)])).to(dtype)
    return rows - radius, rows + radius


def test_every_operator_has_a_rule_or_is_known_to_have_none():
    assert RULES.keys() | UNBOUNDED | CONSTANT == OPERATORS.keys()
    assert not RULES.keys() & (UNBOUNDED | CONSTANT)


def refused(case):
    cast = case.operator == "CastLike" or case.attributes.get("to", 1) not in (1, 11)
    return case.operator in PARTLY and (case.first == 1 or (cast and case.operator != "Pow"))


@pytest.mark.parametrize(("case", "opset", "dtype"), FLOATS)
def test_no_point_of_a_box_leaves_the_bounds(case, opset, dtype):
    graph = Graph.of(graph_of(case, opset), one_by_one=True).to(dtype)
    low, high = boxes(case, dtype)
    if case.operator in UNBOUNDED:
        for bound in (interval, crown):
            with pytest.raises(NoBounds, match=f"'{case.operator}'") as caught:
                bound(graph, low, high)
            assert caught.value.operator == case.operator
        return
    if refused(case):
        with pytest.raises(NoBounds, match=PARTLY[case.operator]):
            interval(graph, low, high)
        return
    plain = interval(graph, low, high)
    linear = crown(graph, low, high)
    out = answers(graph, points(graph, low, high, count=100))
    assert_within(plain, out)
    assert_within(linear, out)
    assert bool((linear.low >= plain.low).all() & (linear.high <= plain.high).all())

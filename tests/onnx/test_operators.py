"""Every operator against onnxruntime, over the operator sets in which its meaning changed."""

import pickle

import numpy as np
import pytest
import torch
from tests.onnx.operator_cases import CASES
from tests.onnx.operator_graphs import answers, graph_of, session

from pellucid.onnx.graph import Graph
from pellucid.onnx.operators.table import OPERATORS

EACH = [
    pytest.param(case, opset, id=f"{number}-{case}-v{opset}")
    for number, case in enumerate(CASES)
    for opset in case.opsets
]


@pytest.mark.parametrize(("case", "opset"), EACH)
def test_an_operator_answers_as_onnxruntime_does(case, opset):
    model = graph_of(case, opset)
    rows = np.stack([case.x, np.flip(case.x)])  # two rows of one shape
    due = answers(session(model), rows)

    graph = Graph.of(model)
    alone = graph(torch.from_numpy(rows[:1].copy())).detach().numpy()
    np.testing.assert_allclose(alone, due[:1], rtol=1e-5, atol=1e-5)

    each = Graph.of(model, one_by_one=True)(torch.from_numpy(rows)).detach().numpy()
    np.testing.assert_allclose(each, due, rtol=1e-5, atol=1e-5)

    again = pickle.loads(pickle.dumps(graph))(torch.from_numpy(rows[:1].copy()))
    np.testing.assert_array_equal(again.detach().numpy(), alone)

    if case.x.dtype == np.float32:
        exact = graph.to(torch.float64)(torch.from_numpy(rows[:1].astype(np.float64)))
        assert exact.dtype == torch.float64
        np.testing.assert_allclose(exact.detach().numpy(), due[:1], rtol=1e-4, atol=1e-4)


def test_every_operator_of_the_table_has_a_case():
    of_sizes = {"Constant", "ConstantOfShape", "Range"}  # which no row changes: see test_graph
    assert {case.operator for case in CASES} | of_sizes == OPERATORS.keys()

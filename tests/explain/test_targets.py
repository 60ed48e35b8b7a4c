"""What is explained, as a number of the model's outputs."""

import pytest
import torch

from pellucid.errors import UserError
from pellucid.explain import label, labels, outputs
from pellucid.spec import OneClass, Spec, Vector

SPEC = Spec(input=Vector(shape=(2,)), answer=OneClass(size=3))
OUT = torch.arange(12.0).reshape(2, 2, 3)  # two probes of two rows


def test_a_label_picks_its_output():
    assert label(torch.tensor([2, 0]))(OUT).tolist() == [[2.0, 3.0], [8.0, 9.0]]


def test_a_set_of_labels_is_summed():
    mask = torch.tensor([[True, False, True], [False, True, False]])
    assert labels(mask)(OUT).tolist() == [[2.0, 4.0], [14.0, 10.0]]


def test_a_set_leaves_out_what_is_infinite():
    mask = torch.tensor([[True, False, False]])
    assert labels(mask)(torch.tensor([[1.0, -torch.inf, 0.0]])).tolist() == [1.0]


def test_a_function_makes_its_own_number():
    spread = outputs(lambda out: out.amax(-1) - out.amin(-1))
    assert spread(OUT).tolist() == [[2.0, 2.0], [2.0, 2.0]]


def test_targets_are_indexed_by_rows():
    rows = torch.tensor([1])
    mask = torch.tensor([[True, False, True], [False, True, False]])
    assert label(torch.tensor([2, 0]))[rows](OUT[:, 1:]).tolist() == [[3.0], [9.0]]
    assert labels(mask)[rows](OUT[:, 1:]).tolist() == [[4.0], [10.0]]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (label(torch.tensor([0])), "has 1 rows, but the input has 2"),
        (label(torch.tensor([0, 3])), "output 3 in row 1.*0 to 2"),
        (label(torch.tensor([-1, 0])), "output -1 in row 0"),
        (labels(torch.ones(2, 2).bool()), r"\(2, 2\).*2 rows and 3 outputs"),
        (labels(torch.tensor([[True] * 3, [False] * 3])), "row 1 is empty"),
    ],
)
def test_a_target_that_does_not_fit_is_refused(target, said):
    with pytest.raises(UserError, match=said):
        target.check(SPEC, 2)


def test_a_function_that_makes_another_shape_is_refused():
    with pytest.raises(UserError, match="leave out the last axis"):
        outputs(lambda out: out.sum())(OUT)

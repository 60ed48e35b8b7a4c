"""What inputs and answers are taken for."""

import math

import pytest
import torch

from pellucid.errors import UserError
from pellucid.rows import Masked, Ragged
from pellucid.spec import (
    INVALID,
    BadQuestion,
    Image,
    LabelSet,
    OneClass,
    Points,
    Spec,
    Tokens,
    Values,
    Vector,
)


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        (Image(shape=(1, 2, 2)), torch.zeros(2, 2)),
        (Image(shape=(1, 2, 2)), torch.zeros(1, 2, 2)),
        (Vector(shape=(3,)), torch.zeros(5, 4)),
        (Vector(shape=(3,)), Ragged(torch.zeros(0, 3), torch.zeros(0).long())),
        (Points(), torch.zeros(5, 3)),
        (Points(), Ragged(torch.zeros(5, 2), torch.tensor([5]))),
        (Tokens(vocabulary=5), torch.zeros(5, 3)),
        (Tokens(vocabulary=5), Masked(torch.zeros(2, 3).long(), torch.ones(2, 4).bool())),
    ],
)
def test_questions_of_another_shape_are_named(source, wrong):
    with pytest.raises(BadQuestion, match=r"^This model takes .*[.]$"):
        source.lead(wrong)


@pytest.mark.parametrize("bounds", [(1.0, 0.0), (0.0, 0.0), (math.nan, 1.0)])
def test_bounds_must_rise(bounds):
    with pytest.raises(UserError, match="must rise"):
        Image(shape=(1, 2, 2), low=bounds[0], high=bounds[1])


@pytest.mark.parametrize("shape", [(), (0,), (3, -1)])
def test_shapes_are_positive(shape):
    with pytest.raises(UserError, match="positive sizes"):
        Vector(shape=shape)


def test_one_class():
    logits = torch.tensor([[1.0, 3.0, 2.0], [0.0, math.nan, 1.0], [math.inf, 0.0, 0.0]])
    answer = OneClass(size=3)
    assert answer.labels(logits).tolist() == [1, INVALID, INVALID]
    torch.testing.assert_close(answer.scores(logits)[0].exp().sum(), torch.tensor(1.0))
    saturated = answer.scores(torch.tensor([[0.0, 200.0, 500.0]]))
    assert saturated.tolist() == [[-500.0, -300.0, 0.0]]


def test_label_set():
    logits = torch.tensor([[1.0, -3.0], [math.nan, 1.0], [0.0, 2.0]])
    answer = LabelSet(size=2)
    assert answer.labels(logits).tolist() == [[1, 0], [INVALID, INVALID], [0, 1]]
    expected = -torch.log1p(torch.exp(-logits[0].double()))
    torch.testing.assert_close(answer.scores(logits)[0].double(), expected)


def test_values_stay_as_they_are():
    raw = torch.tensor([[5.0, -7.0]])
    assert torch.equal(Values(size=2).scores(raw), raw)
    with pytest.raises(BadQuestion, match="raw values"):
        Values(size=2).labels(raw)


def test_spec_keeps_inputs_in_bounds():
    spec = Spec(input=Vector(shape=(2,), low=-1.0, high=1.0), answer=OneClass(size=2))
    x = torch.tensor([[[0.0, 2.0], [-3.0, 1.0]], [[math.nan, 0.0], [1.0, -1.0]]])
    assert spec.inside(x).tolist() == [[False, False], [False, True]]
    assert spec.clamp(x)[0].tolist() == [[0.0, 1.0], [-1.0, 1.0]]


def test_infinity_is_never_inside():
    spec = Spec(input=Vector(shape=(1,)), answer=OneClass(size=2))
    x = torch.tensor([[math.inf], [-math.inf], [math.nan], [1e30]])
    assert spec.inside(x).tolist() == [False, False, False, True]


def test_only_dense_inputs_have_bounds():
    with pytest.raises(BadQuestion, match="Tokens"):
        Spec(input=Tokens(vocabulary=5), answer=OneClass(size=2)).dense()


def test_no_answer_has_the_form_of_answers():
    spec = Spec(input=Vector(shape=(1,)), answer=OneClass(size=3))
    assert spec.no_answer(torch.zeros(4).long(), (2, 3)).tolist() == [[-1] * 3] * 2
    blank = spec.no_answer(torch.zeros(4, 3, dtype=torch.float64), (2,))
    assert blank.dtype == torch.float64
    assert blank.shape == (2, 3)
    assert bool(blank.isnan().all())

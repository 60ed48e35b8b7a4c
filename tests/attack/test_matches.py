"""The goal of fitting many captions: its margin, its smooth form, and what it refuses."""

import pytest
import torch

from pellucid.attack.matches import SOFT, matches
from pellucid.errors import UserError
from pellucid.spec import OneClass, Spec, Values, Vector

CAPTIONS = torch.tensor([[0, 2], [1, 2]])
GOAL = matches(CAPTIONS, torch.tensor([0.1, 0.5]))
SCORES = torch.tensor([[[0.3, 0.9, 0.2], [0.0, 0.6, 0.55]], [[0.1, 1.0, 0.9], [1.0, 0.4, 0.9]]])


def test_the_margin_is_of_the_lowest_caption_of_the_row():
    assert torch.allclose(GOAL.margin(SCORES), torch.tensor([[0.1, 0.05], [0.0, -0.1]]))
    assert GOAL(SCORES).tolist() == [[True, True], [False, False]]
    assert GOAL[torch.tensor([1])](SCORES[0, 1:]).tolist() == [True]


def test_the_loss_lies_just_below_the_margin():
    gap = GOAL.margin(SCORES) - GOAL.loss(SCORES)
    assert (gap >= 0).all()
    assert (gap <= SOFT * torch.tensor(2.0).log() + 1e-6).all()


def test_every_caption_pulls_at_the_loss_and_the_lowest_alone_at_the_margin():
    scores = SCORES[0].clone().requires_grad_()
    (margin,) = torch.autograd.grad(GOAL.margin(scores).sum(), scores)
    (loss,) = torch.autograd.grad(GOAL.loss(scores).sum(), scores)
    assert margin.tolist() == [[0, 0, 1], [0, 0, 1]]
    assert (loss > 0).tolist() == [[True, False, True], [False, True, True]]


def test_a_missing_answer_meets_nothing():
    assert not GOAL(SCORES.new_full((2, 3), torch.nan)).any()


@pytest.mark.parametrize(
    ("goal", "answer", "words"),
    [
        (GOAL, OneClass(size=3), "raw values"),
        (GOAL, Values(size=2), "numbered from 0 to 1"),
        (matches(CAPTIONS - 1, GOAL.least), Values(size=3), "numbered from 0 to 2"),
        (matches(CAPTIONS[:, :0], GOAL.least), Values(size=3), "one caption or more"),
        (matches(CAPTIONS, GOAL.least / 0), Values(size=3), "finite level for each row"),
    ],
)
def test_what_does_not_fit_is_refused(goal, answer, words):
    with pytest.raises(UserError, match=words):
        goal.check(Spec(input=Vector(shape=(4,)), answer=answer))


def test_labels_are_refused():
    with pytest.raises(UserError, match="needs scores"):
        GOAL(torch.tensor([0, 1]))

"""What looks wrong in answers and rows as they are."""

from dataclasses import replace

import torch
from tests.opening.doubts.scenes import (
    SIZE,
    dataset,
    names_of,
    net,
    opened,
    own,
    seen,
)
from tests.subjects import Formula
from torch import nn

from pellucid.opening import Facts


def test_rows_outside_the_bounds_of_a_model_that_does_not_mind():
    x = torch.rand(50, 4, generator=torch.Generator().manual_seed(0))
    data = dataset(x, x.argmax(-1), tuple("abcd"), None, None)
    model = opened(nn.Identity(), (4,), bounds=(0.0, 0.5))
    examination = seen(model, data)
    assert names_of(examination) == ["range"]
    outside = int((x > 0.5).any(-1).sum())
    assert f"{outside} of 50 rows" in examination.doubts[0].sentence
    assert examination.doubts[0].instead == Facts(bounds=(0.0, 1.0))


def test_rows_in_a_small_part_of_the_bounds():
    examination = seen(opened(net(), bounds=(0.0, 255.0)), own())
    assert names_of(examination) == ["range"]
    assert "small part" in examination.doubts[0].sentence


def test_labels_without_an_output():
    foreign = torch.rand(400, generator=torch.Generator().manual_seed(0)) < 0.3
    examination = seen(opened(net()), replace(own(), y=own().y.masked_fill(foreign, 9)))
    assert names_of(examination) == ["labels-outside"]
    assert "up to 9" in examination.doubts[0].sentence


def test_answers_that_are_not_finite():
    inner = net()

    def one(x):
        return (inner(x).argmax(-1, keepdim=True) == 3).long()

    broken = Formula(
        lambda x: inner(x) + torch.where(inner(x).argmax(-1) == 3, torch.nan, 0.0)[:, None]
    )
    examination = seen(opened(broken), own())
    assert names_of(examination) == ["not-finite"]


def test_saturated_probabilities():
    inner = net()
    hard = Formula(lambda x: (1000 * inner(x)).softmax(-1))
    assert names_of(seen(opened(hard, emits="probabilities"), own())) == ["saturated"]


def test_one_class_for_all_rows():
    same = Formula(lambda x: torch.tensor([0.0, 3, 0, 0, 0, 0, 0, 0]).expand(len(x), 8))
    assert names_of(seen(opened(same), own())) == ["one-class"]


def test_accuracy_at_chance():
    noise = torch.randn(3 * SIZE * SIZE, 8, generator=torch.Generator().manual_seed(0))
    blind = Formula(lambda x: (1000 * x.flatten(1)).sin() @ noise)
    examination = seen(opened(blind), own())
    assert names_of(examination) == ["chance"]
    assert "do not help" in examination.doubts[0].sentence


def test_answers_that_change():
    inner = net()
    rng = torch.Generator().manual_seed(0)
    unsteady = Formula(lambda x: inner(x) + torch.randn(len(x), 8, generator=rng))
    assert names_of(seen(opened(unsteady), own())) == ["nondeterministic"]

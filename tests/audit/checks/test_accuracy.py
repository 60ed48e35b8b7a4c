"""Accuracy: what is counted as right, what it costs, and what a score audit gets besides."""

import numpy as np
import pytest
import torch
from tests.audit.checks.grounds import (
    dataset,
    ground,
    image_box,
    images,
    only,
    saying,
    scored,
)
from tests.subjects import vector_box

from pellucid.answers import Answers
from pellucid.audit.checks.accuracy import Accuracy
from pellucid.box.protocols import LabelBox, ScoreBox
from pellucid.ledger import OutOfTime
from pellucid.spec import OneClass, Spec, Values, Vector


def found(box, data, **facts):
    where = ground(box, data, **facts)
    return Accuracy()(where, Accuracy().price(where).least)


@pytest.mark.parametrize(
    ("right", "level"),
    [(400, "none"), (376, "low"), (356, "medium"), (300, "high"), (201, "critical")],
)
def test_the_lower_bound_decides_how_bad_it_is(right, level):
    y = torch.arange(400) % 4
    said = torch.where(torch.arange(400) < right, y, (y + 1) % 4)
    finding = found(*saying(said, y, 4)).finding
    assert finding.severity == level
    assert finding.figures["right"] == right
    assert finding.figures["accuracy"] == right / 400
    assert finding.figures["chance"] == 0.25
    assert finding.figures["low"] < right / 400 <= finding.figures["high"]


def test_the_interval_is_exact():
    y = torch.tensor([0, 1])
    figures = found(*saying(y, y, 2)).finding.figures
    assert figures["low"] == pytest.approx(0.025**0.5)
    assert figures["high"] == 1.0


@pytest.mark.parametrize("kind", [LabelBox, ScoreBox])
def test_an_answer_that_is_not_finite_is_wrong(kind):
    y = torch.zeros(30, dtype=torch.long)
    scores = torch.tensor([1.0, 0.0]).repeat(30, 1)
    scores[3], scores[4, 1], scores[5, 0] = torch.nan, -torch.inf, torch.inf
    box, data = scored(scores, y, names=("a", "b"))
    result = found(only(box, kind), data)
    assert result.finding.figures["right"] == 27
    assert result.finding.figures["not_finite"] == 3
    assert "3 rows have no finite answer" in result.finding.text
    assert (result.arrays["labels"] == np.where(np.isin(range(30), (3, 4, 5)), -1, 0)).all()


def test_scores_are_kept_where_they_are_granted_and_not_asked_for_where_not():
    scores = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    box, data = scored(scores, scores.argmax(-1))
    kept, bare = found(box, data), found(only(box, LabelBox), data)
    np.testing.assert_allclose(kept.arrays["scores"], scores.log_softmax(-1), atol=1e-6)
    assert list(bare.arrays) == ["labels"]
    assert kept.finding == bare.finding
    assert box.module.rows == 80
    assert kept.finding.access == "label"


@pytest.mark.parametrize("rows_per_call", [1000, 16])
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32)])
def test_each_row_is_asked_once_whatever_its_shape(shape, rows_per_call):
    x = images(40, shape)
    y = (x.flatten(1).mean(1) > 0.5).long()
    box = image_box(
        lambda z: torch.stack([0 * z.flatten(1).mean(1) + 0.5, z.flatten(1).mean(1)], 1),
        shape,
        2,
        rows_per_call=rows_per_call,
    )
    where = ground(box, dataset(x, y))
    assert Accuracy().price(where).least == Accuracy().price(where).most == 40
    finding = Accuracy()(where, 40).finding
    assert finding.figures["accuracy"] == 1.0
    assert (finding.cost.queries, finding.cost.calls) == (box.module.rows, box.module.passes)
    assert (box.module.rows, box.module.passes) == (40, -(-40 // rows_per_call))
    assert finding.cost.gradients == 0


def test_it_is_deterministic_and_stored_answers_are_not_bought_again(tmp_path):
    y = torch.arange(30) % 3
    box, data = saying((y + (torch.arange(30) % 5 == 0)) % 3, y, 3)
    with Answers(tmp_path / "answers.sqlite") as answers:
        one = found(box, data, answers=answers)
        two = found(box, data, answers=answers)
    assert one.finding.figures == two.finding.figures == found(box, data).finding.figures
    assert box.module.rows == 60


def test_a_deadline_is_kept_between_calls():
    y = torch.arange(30) % 3
    box, data = saying(y, y, 3)
    with pytest.raises(OutOfTime):
        found(box, data, deadline=0.0)
    assert box.module.rows == 0


def test_what_is_no_classifier_is_refused():
    spec = Spec(input=Vector(shape=(1,)), answer=Values(size=2))
    box = vector_box(torch.nn.Identity())
    box.spec = spec
    data = dataset(torch.zeros(3, 1), torch.arange(3))
    assert Accuracy().refusal(ground(box, data)) == "the model does not answer one class a row"
    box.spec = Spec(input=Vector(shape=(1,)), answer=OneClass(size=2))
    assert Accuracy().refusal(ground(box, data)) is None


def test_a_model_at_chance_says_so_and_asks_no_more_if_it_was_handed_over_boxed():
    y = torch.arange(60) % 2
    box, data = saying(torch.zeros(60, dtype=torch.long), y, 2)
    finding = found(box, data).finding
    assert finding.figures["above_chance"] is False
    assert "check that its weights are loaded" in str(finding.figures["cause"])
    assert finding.severity == "critical"
    assert box.module.rows == finding.cost.queries == 60
    good = found(*saying(y, y, 2)).finding
    assert (good.figures["above_chance"], good.figures["cause"]) == (True, None)

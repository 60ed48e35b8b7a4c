"""The driver of metrics: rows that stay what they are, books, budgets, refusals."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
from tests.subjects import identity_box, integer_box, integer_rows

from pellucid.answers import Answers
from pellucid.box.protocols import LabelBox
from pellucid.box.views import Direct, LabelView
from pellucid.errors import UserError
from pellucid.explain import label
from pellucid.explain.evaluate import Deletion, Evaluation, Insertion, evaluate
from pellucid.ledger import OutOfTime
from pellucid.rng import ids_of
from pellucid.runs import Status
from pellucid.shapes import Batch
from pellucid.testing.subjects import pictures

METRICS = [Deletion(), Insertion(), Insertion(baseline=0.5, orders=2), Deletion(baseline="blur")]


def words(found):
    """Each row of an evaluation, bit for bit."""
    parts = (found.score, found.random, found.gain, found.curve, found.random_curve)
    bits = zip(*map(ids_of, parts), strict=True)
    return list(zip(found.status, found.queries.tolist(), bits, strict=True))


def measured(metric, rows=None, **given):
    """Some rows of pictures, by values that are as good as any."""
    on = pictures(rows=7)
    rows = torch.arange(7) if rows is None else rows
    values = torch.randn(on.x.shape, generator=torch.Generator().manual_seed(3))
    on.tally.clear()
    return evaluate(metric, on.box, on.x[rows], label(on.y[rows]), values[rows], **given)


@pytest.mark.parametrize("metric", METRICS, ids=repr)
def test_a_row_is_the_same_alone_among_others_and_in_another_order(metric):
    whole = words(measured(metric))
    order = torch.tensor([3, 6, 0, 5, 1, 4, 2])
    assert words(measured(metric, order)) == [whole[row] for row in order.tolist()]
    for row in range(7):
        assert words(measured(metric, torch.tensor([row]))) == [whole[row]]
    for batch in (1, 3):
        assert words(measured(metric, batch=batch)) == whole


def test_a_seed_decides_the_random_orders_alone():
    one, same, other = (measured(Deletion(), seed=seed) for seed in (0, 0, 1))
    assert words(one) == words(same)
    assert torch.equal(one.curve, other.curve)
    assert not torch.equal(one.random_curve, other.random_curve)


def test_rows_that_were_not_explained_stay_nan_and_cost_nothing():
    box, x = integer_box(), integer_rows(5)
    values, target = x.clone(), label(torch.zeros(5, dtype=torch.long))
    values[1, 2], values[4] = torch.nan, torch.inf
    found = evaluate(Deletion(), box, x, target, values)
    left = torch.tensor([0, 2, 3])
    assert found.score.isnan().tolist() == [False, True, False, False, True]
    assert found.curve[[1, 4]].isnan().all()
    assert found.queries.tolist() == [14, 0, 14, 14, 0]
    assert box.module.rows == 42
    assert [end is Status.DONE for end in found.status] == [True, False, True, True, False]
    alone = evaluate(Deletion(), integer_box(), x[left], target[left], values[left])
    assert torch.equal(found.score[left], alone.score)
    assert "3 of 5 rows" in repr(found)


def test_a_budget_that_is_too_little_buys_nothing():
    box, x = integer_box(), integer_rows(5)
    target = label(torch.zeros(5, dtype=torch.long))
    with pytest.raises(UserError, match=r"^Deletion asks 14 questions a row, but the budget is 13"):
        evaluate(Deletion(), box, x, target, x, budget=13)
    assert box.module.rows == 0
    exact = evaluate(Deletion(), box, x, target, x, budget=14)
    assert exact.status == (Status.DONE,) * 5


@dataclass(frozen=True, kw_only=True)
class Twice:
    """Says what it knows after each of two rounds."""

    def questions(self, _spec) -> int:
        return 3

    def __call__(self, box: LabelBox, x: Batch, values: Batch) -> Iterator[Evaluation]:
        for part in (1.0, 2.0):
            box.labels(torch.stack([x, x]))
            whole = values.new_full((len(x),), part)
            yield Evaluation(score=whole, random=whole, gain=whole)


def test_what_was_whole_when_the_budget_ended_is_kept():
    x = integer_rows(4)
    found = evaluate(
        Twice(), integer_box(), x, label(torch.zeros(4, dtype=torch.long)), x, budget=3
    )
    assert found.score.tolist() == [1.0] * 4
    assert found.status == (Status.SPENT,) * 4
    assert found.queries.tolist() == [2] * 4
    assert found.curve is None


def test_stored_answers_are_not_bought_again():
    box, x = integer_box(), integer_rows(3)
    target = label(torch.zeros(3, dtype=torch.long))
    with Answers() as store:
        first = evaluate(Deletion(), box, x, target, x, answers=store)
        again = evaluate(Deletion(), box, x, target, x, answers=store)
    assert again.paid.tolist() == [0] * 3
    assert words(first) == words(again)
    assert (first.paid < first.queries).all()  # both orders begin with the row and end with nothing


def test_a_model_that_is_silent_marks_its_row():
    box = identity_box(d=3)
    box.module.function = lambda z: torch.where(z[:, :1] > 0.5, torch.nan, z)
    x = torch.tensor([[0.2, 0.3, 0.1], [0.7, 0.1, 0.1]])
    found = evaluate(Deletion(), box, x, label(torch.tensor([0, 0])), x)
    assert found.status == (Status.DONE, Status.INVALID)
    assert found.score.isnan().tolist() == [False, True]


def test_a_label_is_not_enough():
    on = pictures(rows=2)
    with pytest.raises(UserError, match=r"^Deletion needs a ScoreBox, .* a LabelBox: "):
        evaluate(Deletion(), LabelView(Direct(on.box)), on.x, label(on.y), on.x)


def test_time_runs_out():
    with pytest.raises(OutOfTime):
        measured(Deletion(), deadline=time.monotonic() - 1)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((7, 1, 4), r"\(7, 1, 4\), but the rows are"),
        ((6,), r"\(6,\), but the rows are"),
    ],
)
def test_values_of_another_shape_are_refused(shape, said):
    on = pictures(rows=7)
    with pytest.raises(UserError, match=said):
        evaluate(Deletion(), on.box, on.x, label(on.y), torch.zeros(shape))
    assert on.tally.rows == 0


def test_a_map_of_one_channel_is_the_same_as_its_value_in_all_of_them():
    on = pictures(rows=3)
    maps = torch.randn(3, 1, *on.x.shape[2:], generator=torch.Generator().manual_seed(0))
    one = evaluate(Deletion(), on.box, on.x, label(on.y), maps)
    every = evaluate(Deletion(), on.box, on.x, label(on.y), maps.expand(on.x.shape))
    assert torch.equal(one.curve, every.curve)


def test_where_nothing_was_explained_nothing_is_measured():
    x = integer_rows(2)
    with pytest.raises(UserError, match=r"^No row has an attribution that Deletion"):
        evaluate(Deletion(), integer_box(), x, label(torch.tensor([0, 0])), x * torch.nan)

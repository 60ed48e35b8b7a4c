"""The driver of explainers: its books, its budgets, its batches."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
from tests.subjects import Counting, Formula, identity_box, integer_box, integer_rows, vector_box

import pellucid
from pellucid.answers import Answers
from pellucid.box.protocols import LabelBox, ScoreBox, WhiteBox
from pellucid.errors import UserError
from pellucid.explain import Attribution, Target, explain, label, outputs
from pellucid.explain.gradient.integrated_gradients import IntegratedGradients
from pellucid.explain.gradient.plain_gradient import PlainGradient
from pellucid.goals import misled
from pellucid.rng import Streams
from pellucid.runs import Status
from pellucid.shapes import Batch

X = integer_rows(5)
FIRST = label(torch.zeros(5, dtype=torch.long))


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Asks `probes` questions of a row in each of its rounds: row i asks i rounds more."""

    rounds: int = 3
    probes: int = 4

    def __call__(
        self, box: ScoreBox, x: Batch, target: Target, rng: Streams
    ) -> Iterator[Attribution]:
        total = torch.zeros_like(x)
        for _ in range(self.rounds):
            z = box.spec.clamp(x + 0.1 * rng.normal(self.probes, x.shape[1:]))
            total = total + target(box.scores(z)).sum(0)[:, None]
            yield Attribution(values=total, gap=total[:, 0], agreement=total[:, 1])


@dataclass(frozen=True, kw_only=True)
class Uneven:
    """Rows whose first value is above one half ask twice."""

    def __call__(self, box: ScoreBox, x: Batch, target: Target) -> Iterator[Attribution]:
        values = target(box.scores(x))[:, None]
        yield Attribution(values=values)
        more = (x[:, 0] > 0.5).nonzero()[:, 0]
        values = values.clone()
        values[more] += 100 * target[more](box[more].scores(x[more]))[:, None]
        yield Attribution(values=values)


@dataclass(frozen=True, kw_only=True)
class Deep:
    """Sends rows through the network itself."""

    def __call__(self, box: WhiteBox, x: Batch) -> Iterator[Attribution]:
        yield Attribution(values=box.module(x))


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Says how far rows are from others."""

    def __call__(self, box: LabelBox, x: Batch, data: tuple) -> Iterator[Attribution]:
        yield Attribution(values=box.spec.clamp(x) - data[0].mean(0))


def test_everything_asked_is_on_the_books_row_by_row():
    box = integer_box()
    said = explain(Sample(), box, X, FIRST, batch=2)
    assert said.queries.tolist() == [12] * 5
    assert box.module.rows == 60
    assert said.calls == box.module.passes == 9
    assert said.gradients.tolist() == [0] * 5
    assert said.status == (Status.DONE,) * 5
    assert "5 of 5 rows" in repr(said)


def test_batches_change_nothing_but_calls():
    one = explain(Sample(), integer_box(), X, FIRST)
    other = explain(Sample(), integer_box(), X, FIRST, batch=2)
    assert torch.equal(one.values, other.values)
    assert (one.calls, other.calls) == (3, 9)


def test_a_call_carries_no_more_rows_than_the_model_takes():
    box = vector_box(Counting(Formula(lambda x: x)), d=6, classes=6, rows_per_call=2)
    said = explain(PlainGradient(), box, X, FIRST)
    assert torch.equal(said.values, torch.eye(6)[:1].expand(5, 6))
    assert box.module.passes == 3


@pytest.mark.parametrize(("budget", "rounds"), [(11, 2), (8, 2), (7, 1), (4, 1)])
def test_a_budget_ends_at_the_last_whole_answer(budget, rounds):
    box = integer_box()
    said = explain(Sample(), box, X, FIRST, budget=budget)
    whole = explain(Sample(rounds=rounds), integer_box(), X, FIRST)
    assert torch.equal(said.values, whole.values)
    assert torch.equal(said.gap, whole.gap)
    assert torch.equal(said.agreement, whole.agreement)
    assert said.status == (Status.SPENT,) * 5
    assert box.module.rows == 5 * 4 * rounds


def test_nothing_is_paid_for_half_an_answer():
    box = integer_box()
    with pytest.raises(UserError, match="no row with 3 queries"):
        explain(Sample(), box, X, FIRST, budget=3)
    assert box.module.rows == 0


def test_rows_leave_one_by_one():
    x = torch.tensor([[0.2, 0.3], [0.7, 0.1]])
    target = label(torch.tensor([0, 0]))
    said = explain(Uneven(), identity_box(), x, target, budget=1)
    whole = explain(Uneven(), identity_box(), x, target)
    assert said.status == (Status.DONE, Status.SPENT)
    assert torch.equal(said.values[0], whole.values[0])
    assert torch.allclose(101 * said.values[1], whole.values[1])


def test_passes_of_the_network_are_shared_by_the_rows_at_work_alone():
    said = explain(Deep(), integer_box(), X, FIRST, batch=2)
    assert said.queries.tolist() == [1] * 5
    with pytest.raises(UserError, match="no row with 0 queries"):
        explain(Deep(), integer_box(), X, FIRST, budget=0)


def test_a_row_without_a_finite_answer_is_marked():
    box = vector_box(Formula(lambda x: torch.where(x[:, :1] > 0.5, torch.nan, x)))
    x = torch.tensor([[0.2, 0.3], [0.7, 0.1]])
    said = explain(PlainGradient(), box, x, label(torch.tensor([0, 0])))
    assert said.status == (Status.DONE, Status.INVALID)
    assert said.values[0].tolist() == [1.0, 0.0]


def test_stored_answers_are_not_bought_again(tmp_path):
    box = integer_box()
    with Answers(tmp_path / "answers.db") as store:
        first = explain(Sample(), box, X, FIRST, answers=store)
        again = explain(Sample(), box, X, FIRST, answers=store)
    assert first.paid.tolist() == [12] * 5
    assert again.paid.tolist() == [0] * 5
    assert again.queries.tolist() == [12] * 5
    assert torch.equal(first.values, again.values)


def test_progress_is_told_to_the_end():
    told = []
    explain(Sample(), integer_box(), X, FIRST, batch=2, progress=told.append)
    assert told[-1].share == 1.0
    assert told[-1].note == "5 of 5 rows"


def test_rows_draw_by_their_ids():
    named = explain(Sample(), integer_box(), X, FIRST, ids=list("abcde"))
    turned = explain(Sample(), integer_box(), X, FIRST, ids=list("bacde"))
    assert torch.equal(named.values[2:], turned.values[2:])
    assert not torch.equal(named.values[:2], turned.values[:2])


def test_data_are_handed_to_those_that_ask():
    said = explain(Compared(), integer_box(), X, FIRST, data=(X, None))
    assert torch.equal(said.values, X - X.mean(0))
    with pytest.raises(UserError, match=r"Compared needs rows to compare with.*data="):
        explain(Compared(), integer_box(), X, FIRST)


@pytest.mark.parametrize(
    ("given", "said"),
    [({"budget": -1}, "0 or more"), ({"ids": ["a"]}, "1 ids for 5 rows")],
)
def test_what_cannot_be_is_refused(given, said):
    with pytest.raises(UserError, match=said):
        explain(Sample(), integer_box(), X, FIRST, **given)


def test_a_target_without_a_gradient_is_refused():
    target = outputs(lambda out: out.argmax(-1).float())
    with pytest.raises(UserError, match="no gradient by the input"):
        explain(PlainGradient(), identity_box(d=6), X, target)


def test_gradients_are_taken_where_gradients_are_off():
    with torch.no_grad():
        said = explain(IntegratedGradients(), identity_box(d=6), X, FIRST)
        assert not torch.is_grad_enabled()
    assert torch.allclose(said.values[:, 0], X[:, 0])


def test_explaining_is_a_room_of_the_package():
    assert pellucid.explain.explain is explain
    with pytest.raises(TypeError, match="must take a box"):
        explain(Strange(), identity_box(d=6), X, FIRST)


@dataclass(frozen=True, kw_only=True)
class Strange:
    """Asks for what only attacks are handed."""

    def __call__(self, box: LabelBox, goal: misled) -> Iterator[Attribution]:
        yield Attribution(values=box.spec.clamp(goal.y.float()))

"""The driver: budgets, statuses, the best of what was asked, resumption, and bad input."""

import itertools
import math
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial

import pytest
import torch
from tests.subjects import (
    NEAR,
    Climb,
    Counting,
    Formula,
    Wander,
    identity_box,
    integer_box,
    integer_rows,
    vector_box,
)
from torch import Tensor, nn

from pellucid.answers import Answers
from pellucid.attack.evade.hop_skip_jump import HopSkipJump
from pellucid.attack.evade.pgd import PGD
from pellucid.ball import Ball
from pellucid.box.protocols import (
    AccessDenied,
    GradBox,
    LabelBox,
    NoBox,
    ScoreBox,
    WhiteBox,
    granted,
)
from pellucid.box.torch_box import TorchBox
from pellucid.box.views import VIEWS, Direct
from pellucid.errors import UserError
from pellucid.goals import Goal, hit, misled, ordered_topk
from pellucid.models.integer_net import IntegerNet
from pellucid.runner import run
from pellucid.runs import Interrupted, Run, Status
from pellucid.shapes import Batch
from pellucid.spec import OneClass, Spec, Tokens, Values, Vector
from pellucid.starts import NoiseLadder

WIDE = Ball("l2", 100.0)
X = torch.tensor([[2.0, -1.0], [3.0, 0.0], [1.0, 0.5]])  # the identity says class 0
Y = torch.zeros(3, dtype=torch.long)


def labels_of(x):
    """What the integer subject says of x."""
    return integer_box().labels(x)


def by_row(got):
    """The same run, its improvements row by row: batches tell of them in another order."""
    order = got.found_row.argsort(stable=True)
    names = ("found_row", "found_query", "found_distance")
    return replace(got, **{name: getattr(got, name)[order] for name in names})


def same(a, b, but=("seconds", "calls", "judge_calls", "paid")):
    a, b = by_row(a), by_row(b)
    for field in fields(Run):
        one, other = getattr(a, field.name), getattr(b, field.name)
        if field.name not in but:
            assert torch.equal(one, other) if isinstance(one, Tensor) else one == other, field.name


@dataclass(frozen=True, kw_only=True)
class Path:
    """Asks about given points of every row, one after the other; yields them."""

    ball: Ball = NEAR
    points: tuple[tuple[float, float], ...] = ()
    together: bool = False  # all points in one question

    def __call__(self, box: LabelBox, x: Batch) -> Iterator[Batch]:
        places = torch.tensor(self.points)[:, None, :].expand(-1, *x.shape)
        if self.together:
            box.labels(places)
        for z in places:
            if not self.together:
                box.labels(z)
            yield z


# --- budgets and books


@pytest.mark.parametrize("budget", [0, 17, 500, None])
@pytest.mark.parametrize(
    "method",
    [
        Wander(steps=30, probes=7),
        Wander(ball=Ball("l2", 0.6), steps=30),
        Climb(),
        HopSkipJump(steps=3),
    ],
)
def test_no_row_passes_its_budget(method, budget):
    box, x = integer_box(), integer_rows(9)
    goal = misled(labels_of(x))
    got = run(method, box, x, goal=goal, budget=budget, start=NoiseLadder(rung=0.2))
    limit = math.inf if budget is None else budget
    assert all(queries <= limit for queries in got.queries.tolist())
    assert box.module.rows == int(got.queries.sum() + got.judged.sum())
    assert box.module.passes == got.calls + got.judge_calls
    assert torch.equal(got.paid, got.queries)
    assert bool(got.finished.all())
    for row, status in enumerate(got.status):
        assert status in (Status.DONE, Status.SPENT, Status.NO_START)
        assert (status is not Status.SPENT) or got.queries[row] == budget
    assert bool(goal(labels_of(got.adversarial))[got.success].all())
    assert torch.equal(got.adversarial[~got.success], x[~got.success])


def test_what_a_row_costs_does_not_depend_on_others_budget():
    x = integer_rows(6)
    goal = misled(labels_of(x))
    full = run(Wander(steps=40), integer_box(), x, goal=goal, budget=None)
    cut = run(Wander(steps=40), integer_box(), x, goal=goal, budget=50)
    assert full.queries.tolist() == [120] * 6
    assert cut.queries.tolist() == [50] * 6
    for row, at, distance in zip(cut.found_row, cut.found_query, cut.found_distance, strict=True):
        assert at <= 50
        assert distance in full.found_distance[full.found_row == row]


def test_gradients_are_booked_to_rows():
    x = integer_rows(4)
    got = run(Climb(ball=Ball("l2", 1e-3), steps=7), integer_box(), x, goal=misled(labels_of(x)))
    assert got.gradients.tolist() == got.queries.tolist() == [7] * 4


def test_the_judge_is_outside_the_budget():
    method = Path(points=((2.5, 0.0), (2.0, 1.0)))
    got = run(method, identity_box(), X, goal=misled(Y), budget=0)
    assert got.queries.tolist() == [0, 0, 0]
    assert got.judged.tolist() == [1, 1, 1]
    assert got.status == (Status.SPENT,) * 3


def test_an_unasked_last_iterate_is_judged():
    """A method that asks nothing at its end is judged by where it stands."""

    @dataclass(frozen=True, kw_only=True)
    class Leap:
        ball: Ball = WIDE

        def __call__(self, box: LabelBox, x: Batch) -> Iterator[Batch]:
            assert granted(box) is LabelBox
            yield x.flip(1)

    got = run(Leap(), identity_box(), X, goal=misled(Y), budget=5)
    assert got.success.all()
    assert got.queries.tolist() == [0, 0, 0]
    assert got.judged.tolist() == [2, 2, 2]
    assert got.found_query.tolist() == [0, 0, 0]


# --- the best of what was asked


NEARER = ((0.0, 9.0), (0.0, 4.0), (5.0, 0.0), (0.0, 2.0), (0.0, 3.0), (math.nan, 0.0), (0.0, 8.0))


@pytest.mark.parametrize("together", [False, True])
def test_without_radius_the_nearest_success_counts(together):
    got = run(
        Path(ball=Ball("l2"), points=NEARER, together=together), identity_box(), X, goal=misled(Y)
    )
    assert got.success.all()
    assert got.adversarial.tolist() == [[0.0, 2.0]] * 3
    torch.testing.assert_close(got.distance("l2"), (X - torch.tensor([0.0, 2.0])).norm(dim=1))
    best = got.found_distance[got.found_row == 0].tolist()
    assert best == sorted(best, reverse=True)
    assert got.found_query[got.found_row == 0].tolist() == ([4] if together else [1, 2, 4])
    assert got.status == (Status.DONE,) * 3


@pytest.mark.parametrize("budget", range(1, 7))
def test_what_was_found_before_the_budget_ended_is_kept(budget):
    """The budget may end in the middle of a question."""
    points = NEARER[:6]
    expected = min((p for p in points[:budget] if p[1] > p[0]), key=lambda p: p[1])
    for together in (False, True):
        method = Path(ball=Ball("l2"), points=points, together=together)
        got = run(method, identity_box(), X, goal=misled(Y), budget=budget)
        assert got.adversarial.tolist() == [list(expected)] * 3
        assert got.queries.tolist() == [budget] * 3
        assert got.status == (Status.SPENT,) * 3


def test_with_a_radius_the_first_success_finishes_the_row():
    points = ((0.0, 9.0), (1.0, 0.6), (0.4, 0.6), (0.5, 0.6))
    got = run(Path(points=points, ball=Ball("l2", 1.0)), identity_box(), X, goal=misled(Y))
    assert got.success.tolist() == [False, False, True]
    assert got.queries.tolist() == [4, 4, 3]
    torch.testing.assert_close(got.adversarial[2], torch.tensor([0.4, 0.6]))


def test_points_out_of_bounds_do_not_count():
    box = vector_box(Formula(lambda x: x), low=-1.0, high=3.0)
    got = run(Path(ball=Ball("l2"), points=((0.0, 3.5), (0.0, 2.5))), box, X, goal=misled(Y))
    assert got.adversarial.tolist() == [[0.0, 2.5]] * 3


def test_goals_that_need_scores_are_judged_by_scores():
    @dataclass(frozen=True, kw_only=True)
    class Ask:
        ball: Ball = WIDE

        def __call__(self, box: ScoreBox, x: Batch) -> Iterator[Batch]:
            for z in (x.flip(1), x.flip(1) - 0.5):
                box.labels(x)
                box.scores(z)
                yield z

    order = ordered_topk(torch.tensor([[1, 0]] * 3))
    got = run(Ask(), identity_box(), X, goal=order)
    assert got.success.all()
    assert got.queries.tolist() == [2, 2, 2]


# --- statuses


def test_rows_that_meet_the_goal_cost_nothing():
    goal = misled(torch.tensor([0, 1, 0]))
    got = run(Wander(steps=3), identity_box(), X, goal=goal)
    assert got.status == (Status.DONE, Status.MET, Status.DONE)
    assert got.queries.tolist() == [9, 0, 9]
    assert got.success[1]
    assert got.distance("l2")[1] == 0
    assert got.summary()["attacked"] == 2


def test_rows_of_one_run_end_each_in_its_own_way():
    """Of five rows: met, invalid, no start, done, out of budget while it looked for a start."""

    def decide(x):
        far = (x[:, 0] - x[:, 0].round()).abs() + x[:, 1].abs()
        kind = x[:, 0].round()
        other = torch.where(kind == 3, far - 0.02, -torch.ones(len(x)))
        other = torch.where(kind == 0, torch.ones(len(x)), other)
        return torch.stack([torch.zeros(len(x)), other.masked_fill(kind == 1, math.nan)], 1)

    box = vector_box(Formula(decide), low=-10.0, high=10.0)
    x = torch.tensor([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
    goal = misled(torch.zeros(4).long())
    starter = NoiseLadder(rungs=6, rung=0.001)
    method = HopSkipJump(steps=1)
    got = run(method, box, x, goal=goal, start=starter, budget=1000)
    assert got.status == (Status.MET, Status.INVALID, Status.NO_START, Status.DONE)
    assert got.queries[:3].tolist() == [0, 0, 6]
    poor = run(method, box, x, goal=goal, start=starter, budget=5)
    assert poor.status == (Status.MET, Status.INVALID, Status.SPENT, Status.SPENT)
    assert poor.queries.tolist() == [0, 0, 5, 5]
    assert poor.success.tolist() == [True, False, False, True]


def test_answers_that_turn_bad_leave_a_status():
    box = vector_box(Formula(lambda x: x.masked_fill(x == 7, math.nan)))
    got = run(Path(points=((0.0, 7.0), (3.0, 0.0)), ball=WIDE), box, X, goal=misled(Y))
    assert got.status == (Status.INVALID,) * 3
    assert not got.success.any()
    rescued = run(Path(points=((0.0, 7.0), (0.0, 3.0)), ball=WIDE), box, X, goal=misled(Y))
    assert rescued.status == (Status.DONE,) * 3
    assert rescued.success.all()


@pytest.mark.parametrize("budget", [0, 10])
def test_given_starts(budget):
    start = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 6.0]])
    method = HopSkipJump(steps=1, probes=2)
    got = run(method, identity_box(), X, goal=misled(Y), start=start, budget=budget)
    assert got.status[1] is Status.BAD_START
    assert got.success.tolist() == [True, False, True]
    assert got.queries[1] == 0
    if budget == 0:
        assert torch.equal(got.adversarial[[0, 2]], start[[0, 2]])
        assert got.status[0] is got.status[2] is Status.SPENT
    else:
        assert bool((got.distance("l2") <= (start - X).norm(dim=1))[[0, 2]].all())


def test_a_start_in_the_ball_is_a_success():
    start = torch.tensor([[0.0, 1.0]] * 3)
    method = HopSkipJump(ball=Ball("l2", 1.5))
    got = run(method, identity_box(), X, goal=misled(Y), start=start)
    assert got.success[2]
    assert got.queries[2] == 0


# --- a row ignores its mates


@pytest.mark.parametrize("method", [Wander(), Climb(), HopSkipJump(steps=2)])
def test_batches_do_not_change_bits(method):
    x = integer_rows(11)
    goal = misled(labels_of(x))
    whole = run(method, integer_box(), x, goal=goal, budget=60)
    for batch in (1, 4, 11):
        same(run(method, integer_box(), x, goal=goal, budget=60, batch=batch), whole)
    order = torch.randperm(11, generator=torch.Generator().manual_seed(0))
    turned = run(method, integer_box(), x[order], goal=goal[order], budget=60)
    assert torch.equal(turned.adversarial, whole.adversarial[order])
    assert torch.equal(turned.queries, whole.queries[order])


def test_one_hopeless_row_among_a_hundred_changes_no_other():
    x = integer_rows(101)
    goal = hit((labels_of(x) + 1) % 3)
    hopeless = torch.arange(101) == 50
    # one row is to hit a class that the subject never names
    never = hit(torch.where(hopeless, 3, goal.t))
    spec = replace(integer_box().spec, answer=OneClass(size=4))

    class Extra(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = IntegerNet((6,), classes=3, seed=1)

        def forward(self, z):
            return torch.cat([self.inner(z), torch.full((len(z), 1), -1e4)], 1)

    box = TorchBox(module=Extra(), spec=spec)
    alone = run(Wander(), box, x[~hopeless], goal=never[~hopeless], budget=40)
    among = run(Wander(), box, x, goal=never, budget=40)
    assert torch.equal(among.adversarial[~hopeless], alone.adversarial)
    assert torch.equal(among.queries[~hopeless], alone.queries)
    assert not among.success[50]


def test_seeds_and_ids_decide_what_is_drawn():
    x = integer_rows(4)
    goal = misled(labels_of(x))

    def points(**facts):
        return run(Wander(steps=20), integer_box(), x, goal=goal, **facts).adversarial

    assert torch.equal(points(seed=1), points(seed=1))
    assert not torch.equal(points(seed=1), points(seed=2))
    assert torch.equal(points(ids=list("abcd")), points(ids=list("abcd")))
    assert not torch.equal(points(ids=list("abcd")), points(ids=list("efgh")))


def test_nothing_is_left_behind():
    x, box = integer_rows(4).requires_grad_(False), integer_box()
    y, start = labels_of(x), 1 - x
    kept = [t.clone() for t in (x, y, start)]
    box.module.train()
    state, weights = torch.random.get_rng_state(), box.fingerprint()
    run(HopSkipJump(steps=1), box, x, goal=misled(y), start=start, budget=50)
    run(Climb(), box, x, goal=misled(y), budget=50)
    assert all(torch.equal(a, b) for a, b in zip((x, y, start), kept, strict=True))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert box.fingerprint() == weights
    assert all(part.training for part in box.module.modules())
    assert all(weight.grad is None for weight in box.module.parameters())


# --- interruption and resumption


class Stop:
    """A listener that presses Ctrl-C at its n-th call."""

    def __init__(self, n):
        self.n = n

    def __call__(self, _progress):
        self.n -= 1
        if self.n == 0:
            raise KeyboardInterrupt


class Fragile(Counting):
    """The integer subject, whose n-th pass is stopped by Ctrl-C."""

    def __init__(self, n):
        super().__init__(IntegerNet((6,), classes=3, seed=1))
        self.n = n

    def forward(self, x):
        if self.passes == self.n:
            self.passes = -(10**9)
            raise KeyboardInterrupt
        return super().forward(x)


def test_ctrl_c_from_the_listener_keeps_what_was_found():
    stopper = Stop(1)
    with pytest.raises(Interrupted) as caught:
        run(
            Path(ball=Ball("l2"), points=NEARER), identity_box(), X, goal=misled(Y), batch=2,
            progress=stopper,
        )  # fmt: skip
    got = caught.value.run
    assert got.adversarial.tolist() == [[0.0, 9.0], [0.0, 9.0], X[2].tolist()]
    assert got.success.tolist() == [True, True, False]
    assert got.status == (Status.INTERRUPTED, Status.INTERRUPTED, Status.PENDING)
    assert got.queries.tolist() == [1, 1, 0]


@pytest.mark.parametrize("n", [0, 1, 2, 5, 9])
def test_ctrl_c_from_the_model_and_resumption(n, tmp_path):
    """Resumed with stored answers, a run has the same bits, and pays once for what it saw."""
    x = integer_rows(7)
    goal = misled(labels_of(x))
    method, free = Wander(steps=4), integer_box()
    straight = run(method, free, x, goal=goal, batch=3, answers=Answers())
    box = replace(integer_box(), module=Fragile(n))
    path = tmp_path / "run"
    with Answers(tmp_path / "answers") as store, pytest.raises(Interrupted) as caught:
        run(method, box, x, goal=goal, batch=3, answers=store, checkpoint=path)
    assert not caught.value.run.finished.all()
    with Answers(tmp_path / "answers") as store:
        again = run(method, box, x, goal=goal, batch=3, answers=store, checkpoint=path)
    # questions of the judge are asked again, and add up
    same(again, straight, but=("settings", "seconds", "calls", "judge_calls", "paid", "judged"))
    assert (again.judged >= straight.judged).all()
    # every row of a question is bought at once, so no more than one question's rows is lost
    lost = int((again.paid - straight.paid).sum())
    assert 0 <= lost <= 3 * method.probes
    assert box.module.rows == free.module.rows


@pytest.mark.parametrize("n", [1, 2])
def test_resumed_from_the_listener_it_pays_the_undisturbed_total(n, tmp_path):
    x = integer_rows(6)
    goal = misled(labels_of(x))
    method, path, store, free = Wander(steps=5), tmp_path / "run", Answers(), integer_box()
    straight = run(method, free, x, goal=goal, batch=4, answers=Answers())
    box = integer_box()
    facts = {"goal": goal, "batch": 4, "answers": store, "checkpoint": path}
    with pytest.raises(Interrupted):
        run(method, box, x, progress=Stop(n), **facts)
    again = run(method, box, x, **facts)
    same(again, straight, but=("seconds", "calls", "judge_calls", "paid", "judged"))
    assert torch.equal(again.paid, straight.paid)
    assert box.module.rows == free.module.rows
    same(run(method, box, x, **facts), again)  # nothing is left to do
    assert box.module.rows == free.module.rows


def test_a_replay_spends_questions_but_pays_nothing():
    x, store = integer_rows(4), Answers()
    goal, box = misled(labels_of(x)), integer_box()
    first = run(Wander(), box, x, goal=goal, answers=store)
    seen = box.module.rows
    second = run(Wander(), box, x, goal=goal, answers=store)
    same(first, second)
    assert box.module.rows == seen
    assert second.paid.tolist() == [0] * 4
    assert torch.equal(second.queries, first.queries)


def other_model():
    return vector_box(IntegerNet((6,), classes=3, seed=2), d=6, classes=3, low=0.0, high=1.0)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"method": Wander(steps=2)}, "method"),
        ({"box": other_model()}, "model"),
        ({"goal": misled(torch.tensor([2, 2, 2, 2]))}, "goal"),
        ({"x": integer_rows(4, seed=9)}, "rows"),
        ({"x": integer_rows(4, seed=9), "ids": list("abcd")}, "rows"),
        ({"seed": 1}, "seed"),
        ({"budget": 7}, "budget"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(change, named, tmp_path):
    base = {
        "method": Wander(steps=3), "box": integer_box(), "x": integer_rows(4), "seed": 0,
        "goal": misled(torch.tensor([0, 1, 0, 1])), "budget": 9, "checkpoint": tmp_path / "run",
        "ids": list("abcd"),
    }  # fmt: skip

    def go(method, box, x, **facts):
        return run(method, box, x, **facts)

    go(**base)
    with pytest.raises(UserError, match=rf"run with another (\w+, )*{named}"):
        go(**(base | change))


def test_a_checkpoint_of_another_start_is_refused(tmp_path):
    facts = {"goal": misled(Y), "budget": 20, "checkpoint": tmp_path / "run"}
    method, box = HopSkipJump(steps=1, probes=1), identity_box()
    run(method, box, X, start=X.flip(1), **facts)
    with pytest.raises(UserError, match="another start"):
        run(method, box, X, start=X.flip(1) + torch.tensor([0.0, 1.0]), **facts)


# --- clock and progress


def test_no_time_at_all():
    got = run(Wander(), identity_box(), X, goal=misled(Y), seconds=0.0)
    assert got.status == (Status.CLOCK,) * 3
    assert not got.reproducible
    assert not got.finished.any()


def test_what_was_done_when_the_clock_stopped_stays_done():
    """Row 0 has its success at once; the others are stopped on their way."""

    @dataclass(frozen=True, kw_only=True)
    class Slow:
        ball: Ball = WIDE

        def __call__(self, box: LabelBox, x: Batch) -> Iterator[Batch]:
            z = torch.cat([x[:1].flip(1), x[1:]])
            for _ in range(100):
                box.labels(z)
                yield z
                time.sleep(0.05)

    got = run(Slow(), identity_box(), X, goal=misled(Y), seconds=0.12)
    assert got.status == (Status.DONE, Status.CLOCK, Status.CLOCK)
    assert got.success.tolist() == [True, False, False]
    assert not got.reproducible


def test_a_stopped_run_goes_on_from_its_checkpoint(tmp_path):
    facts = {"goal": misled(Y), "checkpoint": tmp_path / "run"}
    run(Wander(), identity_box(), X, seconds=0.0, **facts)
    got = run(Wander(), identity_box(), X, **facts)
    same(got, run(Wander(), identity_box(), X, goal=misled(Y)))


@pytest.mark.parametrize("budget", [0, 5, None])
def test_progress_is_told_and_ends_at_one(budget):
    told = []
    run(Wander(), identity_box(), X, goal=misled(Y), budget=budget, progress=told.append, batch=2)
    shares = [p.share for p in told]
    assert all(0 <= share <= 1 for share in shares)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert told[-1].title == "Wander"
    assert "of 3 found" in told[-1].note


# --- views, surrogates, the network itself


def test_a_method_is_shown_what_it_names_and_no_more():
    shown = []

    def method(kind):
        @dataclass(frozen=True, kw_only=True)
        class Peek:
            ball: Ball = WIDE

            def __call__(self, box: kind, x: Batch) -> Iterator[Batch]:
                shown.append(granted(box))
                yield x

        return Peek()

    kinds = [NoBox, LabelBox, ScoreBox, GradBox, WhiteBox]
    for kind in kinds:
        run(method(kind), identity_box(), X, goal=misled(Y))
    assert shown == kinds


@pytest.mark.parametrize("method", [PGD(), Wander()])
def test_a_poorer_box_is_refused_before_anything_is_asked(method):
    box = integer_box()
    poor = VIEWS[NoBox](Direct(box))
    with pytest.raises(AccessDenied, match=rf"{type(method).__name__} needs a \w+Box.*NoBox"):
        run(method, poor, integer_rows(2), goal=misled(torch.tensor([0, 1])))
    assert box.module.rows == 0


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """Climbs on the mean logits of the surrogates, towards class means of its data."""

    ball: Ball = NEAR
    steps: int = 4
    ask: bool = True

    def __call__(
        self,
        box: LabelBox,
        goal: Goal,
        x: Batch,
        surrogates: Sequence[GradBox],
        data: tuple[Tensor, Tensor | None],
    ) -> Iterator[Batch]:
        assert [granted(s) for s in surrogates] == [GradBox] * len(surrogates)
        assert data[0].shape[1:] == x.shape[1:]
        z = x
        for _ in range(self.steps):
            z = z.detach().requires_grad_()
            loss = torch.stack([goal.loss(s.logits(z)) for s in surrogates]).nan_to_num()
            (gradient,) = torch.autograd.grad(loss.sum(), z)
            z = self.ball.project(z.detach() + self.ball.steepest(gradient), x)
            box.labels(z)
            yield z


def test_surrogates_are_narrowed_and_metered_apart():
    x = torch.tensor([[0.3, 0.0], [0.2, 0.1], [50.0, 0.0]])
    surrogates = [
        vector_box(Counting(Formula(partial(torch.mul, other=s))), pad=1)
        for s in (torch.tensor(1.0), torch.tensor(2.0))
    ]
    box = identity_box()
    got = run(Transfer(), box, x, goal=misled(Y), surrogates=surrogates, data=(X, None), budget=10)
    assert got.success.tolist() == [True, True, False]
    assert got.queries.tolist() == [1, 1, 4]
    assert got.gradients.tolist() == [0, 0, 0]
    # closed rows are not asked about: their surrogates' books stop too
    assert got.surrogate_queries.tolist() == [[1, 1, 4]] * 2
    assert got.surrogate_gradients.tolist() == [[1, 1, 4]] * 2
    assert [s.module.rows for s in surrogates] == [6, 6]


def test_surrogates_are_asked_for_in_a_sentence():
    with pytest.raises(UserError, match="needs surrogates"):
        run(Transfer(), identity_box(), X, goal=misled(Y), data=(X, None))
    poor = VIEWS[LabelBox](Direct(identity_box()))
    with pytest.raises(AccessDenied, match="surrogate needs a GradBox"):
        run(Transfer(), identity_box(), X, goal=misled(Y), data=(X, None), surrogates=[poor])
    other = vector_box(nn.Linear(3, 2), d=3)
    with pytest.raises(UserError, match=r"Surrogate 2 takes inputs of shape \(3,\), but the model"):
        run(Transfer(), identity_box(), X, goal=misled(Y), data=(X, None),
            surrogates=[identity_box(), other])  # fmt: skip
    small = vector_box(nn.Linear(2, 1), classes=1)
    with pytest.raises(UserError, match="Surrogate 1 cannot stand in"):
        run(Transfer(), identity_box(), X, goal=misled(Y + 1), data=(X, None), surrogates=[small])


@dataclass(frozen=True, kw_only=True)
class Blind:
    """Flips the input by way of a surrogate's network; asks the model nothing."""

    ball: Ball = WIDE
    spoil: bool = False

    def __call__(self, box: NoBox, x: Batch, surrogates: Sequence[WhiteBox]) -> Iterator[Batch]:
        assert granted(box) is NoBox
        for share in (0.25, 0.5, 1.0):
            surrogates[0].module(x)
            if self.spoil:
                with torch.no_grad():
                    surrogates[0].module.weight.add_(1)
            yield x + share * (x.flip(1) - x)


@pytest.mark.parametrize("budget", [0, 5, None])
def test_a_method_that_asks_nothing_needs_no_budget(budget):
    got = run(Blind(), identity_box(), X, goal=misled(Y), budget=budget,
              surrogates=[vector_box(nn.Linear(2, 2))])  # fmt: skip
    assert torch.equal(got.adversarial, X.flip(1))
    assert got.queries.tolist() == [0] * 3
    assert got.status == (Status.DONE,) * 3
    assert got.surrogate_queries.tolist() == [[3, 3, 3]]


def test_a_surrogate_keeps_its_weights():
    with pytest.raises(RuntimeError, match="changed the model's weights"):
        run(Blind(spoil=True), identity_box(), X, goal=misled(Y),
            surrogates=[vector_box(nn.Linear(2, 2))])  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Insider:
    """Asks the network itself; may spoil its weights."""

    ball: Ball = NEAR
    steps: int = 6
    spoil: bool = False

    def __call__(self, box: WhiteBox, x: Batch) -> Iterator[Batch]:
        if self.spoil:
            with torch.no_grad():
                box.module.inner.weight.mul_(1.5)
        for _ in range(self.steps):
            box.module(x)
            yield x


def inside():
    module = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        module.weight.copy_(torch.eye(2))
    return vector_box(Counting(module), pad=1)


@pytest.mark.parametrize("budget", [0, 4, 17])
def test_questions_to_the_module_are_charged(budget):
    box = inside()
    got = run(Insider(), box, X, goal=misled(Y), budget=budget)
    assert got.queries.tolist() == [min(6, budget)] * 3
    assert box.module.rows == int(got.queries.sum() + got.judged.sum())
    assert not box.module._forward_hooks
    assert not box.module._forward_pre_hooks


@pytest.mark.parametrize("budget", [1, 4, None])
def test_changed_weights_are_an_error(budget):
    with pytest.raises(RuntimeError, match="Insider has changed the model's weights"):
        run(Insider(spoil=True), inside(), X, goal=misled(Y), budget=budget)


# --- bad input


GOOD = {"method": Wander(), "box": identity_box(), "x": X, "goal": misled(Y)}
FOUR = torch.zeros(4, dtype=torch.long)
VALUES = TorchBox(
    module=Formula(lambda x: x), spec=Spec(input=Vector(shape=(2,)), answer=Values(size=2)),
    emits="values",
)  # fmt: skip
TEXTS = TorchBox(
    module=Formula(lambda x: x), spec=Spec(input=Tokens(vocabulary=2), answer=OneClass(size=2))
)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"x": torch.zeros(3, 5)}, r"takes vectors of shape \(rows, 2\)"),
        ({"x": torch.zeros(2)}, "takes vectors|axis of rows"),
        ({"x": torch.zeros(2, 3, 2)}, "one axis of rows"),
        ({"x": torch.zeros(0, 2), "goal": misled(Y[:0])}, "at least one row"),
        ({"x": X.masked_fill(X == 3, math.nan)}, "not finite in row 1"),
        ({"x": X.masked_fill(X == 3, math.inf)}, "not finite in row 1"),
        ({"x": X * 1e9}, "outside the bounds .* in row 0"),
        ({"goal": misled(torch.tensor([0, 2, 0]))}, "names class 2 in row 1"),
        ({"goal": hit(torch.tensor([0, 0, -1]))}, "names class -1 in row 2"),
        ({"goal": misled(FOUR)}, "goal has 4 rows, but the input has 3"),
        ({"budget": -1}, "budget .* -1"),
        ({"ids": ["a"]}, "1 ids for 3 rows"),
        ({"box": VALUES}, "Values"),
        ({"box": TEXTS}, "Tokens|labels|images or vectors"),
        ({"start": torch.zeros(2, 2)}, "2 starts for 3 rows"),
        ({"start": torch.zeros(3, 5)}, "takes vectors"),
        ({"start": torch.full((3, 2), math.nan)}, "The start has .* not finite in row 0"),
        ({"start": torch.full((3, 2), 1e7)}, "The start has .* outside the bounds"),
    ],
)
def test_bad_input_is_one_sentence(change, text):
    box = vector_box(Counting(Formula(lambda x: x)))
    facts = GOOD | {"box": box} | change
    with pytest.raises(UserError, match=text) as caught:
        run(facts.pop("method"), facts.pop("box"), facts.pop("x"), **facts)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert not re.search(r"[a-z]\. [A-Z]", message)
    assert box.module.rows == 0


def test_a_goal_of_scores_needs_scores():
    poor = VIEWS[LabelBox](Direct(identity_box()))
    with pytest.raises(AccessDenied, match="ordered_topk goal needs a ScoreBox"):
        run(Wander(), poor, X, goal=ordered_topk(torch.tensor([[1, 0]] * 3)))


def test_a_method_that_wants_strange_things_is_named():
    class Strange:
        ball = NEAR

        def __call__(self, box: LabelBox, temperature: float) -> Iterator[Batch]: ...

    with pytest.raises(TypeError, match=r"Strange must take a box .* it takes box, temperature"):
        run(Strange(), identity_box(), X, goal=misled(Y))


def test_the_model_s_own_error_comes_through_and_the_checkpoint_stays(tmp_path):
    count = itertools.count()

    def fail(x):
        if next(count) == 3:
            raise ZeroDivisionError
        return x

    path = tmp_path / "run"
    with pytest.raises(ZeroDivisionError):
        run(Path(ball=Ball("l2"), points=NEARER), vector_box(Formula(fail)), X, goal=misled(Y),
            checkpoint=path)  # fmt: skip
    kept = Run.load(path)
    assert kept.success.all()
    assert kept.queries.tolist() == [3] * 3


@pytest.mark.parametrize("ball", [Ball("linf", 8.0), Ball("l2", 1.5)])
def test_a_ball_that_holds_every_input_is_of_another_unit(ball):
    box = vector_box(nn.Linear(2, 2), low=0.0, high=1.0)
    x = torch.full((3, 2), 0.5)
    with pytest.raises(UserError, match="holds every input between 0 and 1"):
        run(Path(points=((0.5, 0.5),), ball=ball), box, x, goal=misled(Y))
    widest = Ball(ball.norm, {"linf": 1.0, "l2": 2**0.5}[ball.norm])
    run(Path(points=((0.5, 0.5),), ball=widest), box, x, goal=misled(Y))

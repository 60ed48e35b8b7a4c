"""Square on linear models, whose reach is known, and its windows by their definition."""

import itertools

import pytest
import torch
from torch import nn

import pellucid
from pellucid.attack.evade._squares import (
    Bumps,
    bump,
    bumps,
    corner,
    peak,
    pixels,
    sides,
)
from pellucid.attack.evade.square import Square
from pellucid.ball import Ball
from pellucid.errors import UserError
from pellucid.spec import OneClass, Spec, Vector
from pellucid.testing.driving import driven
from pellucid.testing.subjects import subject

ROWS, MARGIN = 10, 0.5


def draws(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def plane(shape):
    """Two classes with a plane between them, and rows a margin away on both sides of it."""
    d = torch.Size(shape).numel()
    w, x = draws(d, seed=1), draws(ROWS, d, seed=2)
    side = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(ROWS // 2)
    x = x + ((MARGIN * side - x @ w) / (w @ w))[:, None] * w
    linear = nn.Linear(d, 2, bias=False, dtype=torch.float64)
    with torch.no_grad():
        linear.weight.copy_(torch.stack([0 * w, w]))
    return nn.Sequential(nn.Flatten(), linear), w, x.reshape(ROWS, *shape), (side > 0).long()


def attack(model, x, y, method, budget=None):
    shape, bounds = tuple(x.shape[1:]), (-99.0, 99.0)
    box = pellucid.open(model, access="score", shape=shape, bounds=bounds, emits="logits")
    return pellucid.run(method, box, x, goal=pellucid.misled(y), budget=budget)


@pytest.mark.parametrize("shape", [(1, 3, 3), (2, 2, 3), (9,)])
@pytest.mark.parametrize(("share", "successes"), [(1.001, ROWS), (0.999, 0)])
def test_in_linf_it_finds_the_corner_of_the_cube(shape, share, successes):
    model, w, x, y = plane(shape)
    radius = share * MARGIN / float(w.abs().sum())
    found = attack(model, x, y, Square(ball=Ball("linf", radius), steps=200))
    assert int(found.success.sum()) == successes
    assert (found.distance("linf")[found.success] <= radius * (1 + 1e-9)).all()


@pytest.mark.parametrize(("share", "successes"), [(2.0, ROWS), (0.999, 0)])
def test_in_l2_it_comes_near_the_normal_of_the_plane(share, successes):
    model, w, x, y = plane((1, 5, 5))
    radius = share * MARGIN / float(torch.linalg.vector_norm(w))
    found = attack(model, x, y, Square(ball=Ball("l2", radius), steps=200))
    assert int(found.success.sum()) == successes
    assert (found.distance("l2")[found.success] <= radius * (1 + 1e-9)).all()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_step_is_a_query_and_done_rows_are_asked_no_more(norm):
    on = subject(shape=(1, 6, 6), rows=12)
    ball = Ball(norm, {"linf": 0.1, "l2": 0.5}[norm])
    found = pellucid.run(Square(ball=ball, steps=40), on.box, on.x, goal=on.goal, budget=40)
    assert 0 < int(found.success.sum()) < 12
    assert (found.queries[~found.success] == 40).all()
    assert (found.queries <= 40).all()
    # the judge looks first and last; between them a call holds those rows that are not won yet
    calls = [len(asked) for asked in on.tally.asked[1:41]]
    won = torch.zeros(12, dtype=torch.long).index_add(0, found.found_row, found.found_query)
    left = [int(((won == 0) | (won >= query)).sum()) for query in range(1, 41)]
    assert calls == left


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_margin_never_falls(norm):
    on = subject(shape=(2, 5, 5), dtype=torch.float64)
    ball = Ball(norm, {"linf": 0.02, "l2": 0.1}[norm])
    margins = [
        on.goal.margin(on.box.scores(z)) for z in driven(Square(ball=ball, steps=60), on).iterates
    ]
    assert len(margins) == 60
    for before, after in itertools.pairwise(margins):
        assert (after >= before).all()
    assert (margins[-1] > margins[0]).any()


def test_in_linf_it_starts_with_stripes_and_moves_one_window_to_an_end():
    radius = 0.25
    on = subject(shape=(1, 6, 6), bounds=(-9.0, 9.0))
    iterates = driven(Square(ball=Ball("linf", radius), steps=30, share=0.25), on).iterates
    asked, rows = on.tally.asked, len(on.x)
    stripes = (asked[0] - on.x).sign()
    assert torch.equal(stripes, stripes[:, :, :1].expand_as(stripes))
    for before, question in zip(iterates, asked[1:], strict=False):
        if len(question) < rows:
            break
        assert torch.allclose((question - on.x).abs(), torch.tensor(radius))
        for changed in (question != before)[:, 0]:
            down, across = changed.nonzero().unbind(1)
            assert len(down)  # no query is spent on what is known
            assert int(down.max() - down.min()) < 3
            assert int(across.max() - across.min()) < 3


def test_in_l2_it_stays_on_the_sphere():
    on = subject(shape=(2, 6, 7), bounds=(-9.0, 9.0), dtype=torch.float64)
    for z in driven(Square(ball=Ball("l2", 0.3), steps=50), on).iterates:
        distance = Ball("l2").distance(z, on.x)
        assert torch.allclose(distance, torch.full_like(distance, 0.3), rtol=1e-6)


def test_without_steps_the_schedule_is_stretched_to_the_budget():
    on, ball = subject(shape=(1, 6, 6), rows=12), Ball("linf", 0.1)
    told, untold = (
        pellucid.run(
            Square(ball=ball, steps=steps, share=0.5), on.box, on.x, goal=on.goal, budget=60
        )
        for steps in (60, None)
    )
    assert torch.equal(told.adversarial, untold.adversarial)
    paper = Square(ball=ball, steps=10_000, share=0.5)
    slow = pellucid.run(paper, on.box, on.x, goal=on.goal, budget=60)
    assert not torch.equal(told.adversarial, slow.adversarial)


def test_the_share_falls_as_the_paper_says():
    method = Square(share=0.8)
    halvings = [round(0.8 / method._share(move / 1000)).bit_length() - 1 for move in range(1000)]
    assert [halvings.index(k) for k in range(10)] == [0, 2, 6, 21, 51, 101, 201, 401, 601, 801]
    assert Square()._share(0.0) == 0.05
    assert Square(ball=Ball("l2", 1.0))._share(0.0) == 0.1


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 4), (3, 3), (2, 5), (7, 7)])
def test_a_peak_is_a_sum_of_ever_wider_squares(rows, columns):
    due = torch.zeros(rows, columns)
    for ring in range(max(rows // 2, columns // 2) + 1):
        for i, j in itertools.product(range(rows), range(columns)):
            if max(abs(i - rows // 2), abs(j - columns // 2)) <= ring:
                due[i, j] += 1 / (ring + 1) ** 2
    assert torch.allclose(peak(rows, columns), due / due.square().sum().sqrt())


@pytest.mark.parametrize(("rows", "columns"), [(3, 3), (5, 5), (2, 5), (1, 4), (1, 1)])
def test_a_bump_has_norm_one_and_two_signs(rows, columns):
    whole = bump(rows, columns)
    assert whole.shape == (rows, columns)
    assert torch.isclose(whole.norm(), torch.tensor(1.0))
    halves = whole.T.flatten() if columns > rows else whole.flatten()
    first = min(rows, columns) * (max(rows, columns) // 2)
    assert (halves[:first] > 0).all()
    assert (halves[first:] < 0).all()


def test_windows_lie_everywhere_in_the_picture_and_nowhere_else():
    picture, size = (1, 4, 6), (3, 2)
    dice = torch.rand(500, 2, generator=torch.Generator().manual_seed(0))
    dice[0], dice[1] = 0.0, 1 - 2**-24
    place = corner(dice, size, picture)
    assert len(place.unique(dim=0)) == 2 * 5
    pattern = torch.arange(1.0, 7.0).reshape(size)
    blank, window = torch.zeros(500, 1, 24), pixels(place, size, picture)
    whole = blank.scatter(2, window, pattern.flatten().expand(500, 1, 6)).reshape(500, 4, 6)
    for row, (top, left) in enumerate(place.tolist()):
        assert torch.equal(whole[row, top : top + 3, left : left + 2], pattern)
        assert int((whole[row] != 0).sum()) == 6


def test_a_move_in_l2_is_what_algorithm_3_says():
    picture, radius, rows = (2, 5, 6), 0.7, 60
    spec = Spec(input=Vector(shape=picture), answer=OneClass(size=2))
    x, z = draws(rows, *picture, seed=1), draws(rows, *picture, seed=2)
    z = Ball("l2", 0.9 * radius).project(z, x)  # inside: some of the norm is unused
    dice = torch.rand(rows, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    got = Bumps(spec, x, radius).move(z, 9.0, dice) - x
    first, second = (corner(dice[:, k : k + 2], (3, 3), picture) for k in (0, 2))
    shared = 0
    for row, old in enumerate(z - x):
        masks = torch.zeros(2, 5, 6, dtype=torch.bool)
        for mask, (top, left) in zip(masks, (first[row], second[row]), strict=True):
            mask[top : top + 3, left : left + 3] = True
        shared += bool((masks[0] & masks[1]).any()) and not torch.equal(masks[0], masks[1])
        unused = radius**2 - old.square().sum()
        pattern = bump(3, 3).double()
        pattern = pattern.T if dice[row, 4] < 0.5 else pattern
        due = old.masked_fill(masks[1], 0)
        for channel in range(2):
            held = old[channel][masks[0]]
            sign = 1 if dice[row, 5 + channel] < 0.5 else -1
            fresh = sign * pattern.flatten() + held / held.norm()
            norm = (old[channel][masks[0] | masks[1]].square().sum() + unused / 2).sqrt()
            due[channel][masks[0]] = fresh / fresh.norm() * norm
        assert torch.allclose(got[row], due / due.norm() * radius)
    assert shared


def test_square_bumps_turn_on_their_side():
    assert torch.equal(bumps(3, 3), torch.stack([bump(3, 3).flatten(), bump(3, 3).T.flatten()]))
    assert torch.equal(bumps(3, 5), bump(3, 5).flatten().expand(2, -1))


def test_a_window_keeps_its_area_where_the_picture_is_flat():
    assert sides(25.0, 10, 10) == (5, 5)
    assert sides(25.0, 1, 100) == (1, 25)
    assert sides(25.0, 2, 100) == (2, 12)
    assert sides(1e-3, 10, 10) == (1, 1)
    assert sides(4.0, 10, 10, least=3) == (3, 3)


def test_a_ball_without_radius_is_refused():
    with pytest.raises(UserError, match="give the ball a radius"):
        Square(ball=Ball("l2"))

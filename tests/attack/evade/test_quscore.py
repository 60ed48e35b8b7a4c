"""QuScore on planes, where the best genes are known, and its breeding by definition."""

import pytest
import torch
from torch import nn

import pellucid
from pellucid.attack.evade._genes import Microbial, two_of
from pellucid.attack.evade._surrogate_maps import SurrogateClimb, gradient_map
from pellucid.attack.evade.quscore import QuScore
from pellucid.ball import Ball
from pellucid.errors import UserError
from pellucid.rng import Streams, ids_of
from pellucid.testing.driving import attacked, driven
from pellucid.testing.subjects import subject

SHAPE, ROWS, EPSILON = (1, 4, 5), 40, 0.1
BALL = Ball("linf", EPSILON)


def draws(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def plane(hidden=False):
    """Weights (1, 4, 5) and a box of the plane through the middle of the cube."""
    w = draws(*SHAPE, seed=1) - 0.5
    model = nn.Linear(w.numel(), 2, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.stack([0 * w, w]).flatten(1))
        model.bias.copy_(torch.tensor([0.0, -0.5 * float(w.sum())]))
    module = nn.Sequential(nn.Flatten(), model)
    access = "score" if hidden else "gradient"
    return w, pellucid.open(module, access=access, shape=SHAPE, emits="logits")


def curved():
    """A box whose gradient map depends on where one is."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        first, second = nn.Linear(20, 16), nn.Linear(16, 3)
    module = nn.Sequential(nn.Flatten(), first, nn.Tanh(), second).double()
    return pellucid.open(module, access="gradient", shape=SHAPE, emits="logits")


def streams(x):
    return Streams(0, ids_of(x), x)


def test_a_surrogate_that_is_the_model_gives_the_best_genes_at_once():
    (w, box), (_, surrogate) = plane(hidden=True), plane()
    x = draws(200, *SHAPE, seed=2)
    x = x[((x - 0.5) * w).sum((1, 2, 3)).abs() < 0.7]  # some within reach, some beyond
    y = box.labels(x)
    side = (2 * y - 1).to(x)[:, None, None, None]
    best = (x - EPSILON * side * w.sign()).clamp(0, 1)
    reach = box.labels(best) != y
    method = QuScore(ball=BALL, generations=10)
    found = pellucid.run(
        method, box, x, goal=pellucid.misled(y), budget=None, surrogates=[surrogate]
    )
    assert torch.equal(found.success, reach)
    assert 10 < int(reach.sum()) < len(x) - 10
    assert torch.equal(found.adversarial[reach], best[reach])
    assert (found.found_query == 1).all()


@pytest.mark.slow
def test_from_random_genes_evolution_finds_the_best_ones_too():
    (w, box), (_, surrogate) = plane(hidden=True), plane()
    x = draws(ROWS, *SHAPE, seed=2)
    y = box.labels(x)
    side = (2 * y - 1).to(x)[:, None, None, None]
    goal = pellucid.misled(y)
    best = goal.margin(box.scores((x - EPSILON * side * w.sign()).clamp(0, 1)))
    method = QuScore(ball=BALL, transfer=False, mutation=0.05, generations=400)
    found = pellucid.run(method, box, x, goal=goal, budget=None, surrogates=[surrogate])
    clear = best.abs() > 0.02
    assert torch.equal(found.success[clear], (best > 0)[clear])
    assert found.success.any()
    assert not found.success.all()
    assert (found.surrogate_queries == 0).all()


def test_every_question_is_at_the_ends_of_the_ball_or_the_bounds():
    on = subject(shape=(2, 3, 3), dtype=torch.float64)
    driven(QuScore(ball=BALL, generations=5, mutation=0.1), on)
    asked = torch.cat(on.tally.asked)[:, None]
    ends = torch.stack([(on.x - EPSILON).clamp(0, 1), (on.x + EPSILON).clamp(0, 1)])
    at_an_end = (asked == ends[:, None]).any(0).flatten(2).all(2)
    assert at_an_end.any(1).all()


@pytest.mark.slow
def test_a_generation_costs_a_query_and_a_call():
    on = subject()
    nothing = on.goal & ~on.goal
    method = QuScore(ball=BALL, population=4, generations=7, steps=3)
    found = attacked(method, on, goal=nothing)
    assert found.queries.tolist() == [4 + 7] * len(on.x)
    assert found.calls == 1 + 7
    # four climbs of three steps, and the clean map
    assert set(found.surrogate_queries.flatten().tolist()) == {4 * 3 + 1}
    assert set(found.surrogate_gradients.flatten().tolist()) == {2 * 4 * 3 + 1}
    bare = attacked(QuScore(ball=BALL, weight=0.0, steps=3), on, goal=nothing)
    assert set(bare.surrogate_gradients.flatten().tolist()) == {5 * 3}


def test_the_fittest_never_gets_worse():
    on = subject(dtype=torch.float64)
    iterates = driven(QuScore(ball=BALL, generations=60, mutation=0.1, transfer=False), on).iterates
    losses = torch.stack([on.goal.loss(on.box.scores(z)) for z in iterates])
    assert (losses.diff(dim=0) >= 0).all()


@pytest.mark.parametrize(
    ("crossover", "mutation", "due"),
    [(1.0, 0.0, "winner"), (0.0, 0.0, "loser"), (0.0, 1.0, "turned")],
)
def test_the_loser_takes_on_genes_of_the_winner(crossover, mutation, due):
    x = draws(ROWS, 3, 3)
    genes = draws(5, ROWS, 3, 3, seed=1) < 0.5
    value = draws(5, ROWS, seed=2)
    row = torch.arange(ROWS)
    microbes = Microbial(crossover=crossover, mutation=mutation)
    first, second = two_of(streams(x), 5)
    loser, child = microbes.infect(genes, value, streams(x))
    winner = first + second - loser
    assert ((loser == first) | (loser == second)).all()
    assert (value[winner, row] > value[loser, row]).all()
    parts = {
        "winner": genes[winner, row],
        "loser": genes[loser, row],
        "turned": ~genes[loser, row],
    }
    assert torch.equal(child, parts[due])


def test_rates_are_per_gene():
    x = draws(200, 10, 10)
    genes = torch.stack([torch.zeros(200, 10, 10), torch.ones(200, 10, 10)]).bool()
    value = torch.stack([torch.zeros(200), torch.ones(200)]).double()
    loser, child = Microbial(crossover=0.7, mutation=0.0).infect(genes, value, streams(x))
    assert (loser == 0).all()
    assert child.double().mean().item() == pytest.approx(0.7, abs=0.02)
    _, child = Microbial(crossover=0.0, mutation=0.1).infect(genes, value, streams(x))
    assert child.double().mean().item() == pytest.approx(0.1, abs=0.01)


def test_any_two_meet_equally_often():
    x = draws(6000, 1)
    first, second = two_of(streams(x), 4)
    assert (first != second).all()
    counts = (4 * first + second).bincount(minlength=16)
    assert (counts[counts > 0].double() / 6000 - 1 / 12).abs().max() < 0.015
    assert int((counts > 0).sum()) == 12


def test_a_map_is_the_size_of_the_gradient_pooled_and_scaled():
    box = curved()
    z = draws(2, 3, *SHAPE, seed=5)
    map_ = gradient_map(box.logits(z.requires_grad_()), z, 2, again=False)
    assert map_.shape == (2, 3, 2 * 2)
    assert torch.equal(map_.amin(-1), torch.zeros(2, 3).double())
    assert (map_.amax(-1) - 1).abs().max() < 1e-9
    step, squares = 1e-6, []
    for place in range(4):  # the last column of pixels is left over
        down, across = 2 * (place // 2), 2 * (place % 2)
        total = torch.zeros(2, 3).double()
        for i in (down, down + 1):
            for j in (across, across + 1):
                move = torch.zeros(SHAPE).double()
                move[0, i, j] = step
                said = box.scores(z.detach()).amax(-1)
                total += ((box.scores(z.detach() + move).amax(-1) - said) / step).abs()
        squares.append(total)
    raw = torch.stack(squares, -1)
    low, high = raw.amin(-1, keepdim=True), raw.amax(-1, keepdim=True)
    assert (map_ - (raw - low) / (high - low)).abs().max() < 1e-3


def test_a_weight_keeps_the_surrogates_maps():
    box = curved()
    x = draws(ROWS, *SHAPE, seed=6)
    goal = pellucid.misled(box.labels(x))

    def end(weight):
        climb = SurrogateClimb(ball=BALL, steps=10, decay=1.0, weight=weight, pool=1)
        z = climb([box], goal, x, x[None])
        at = (z.requires_grad_(), x[None].clone().requires_grad_())
        maps = [gradient_map(box.logits(p), p, 1, again=False) for p in at]
        return ((maps[0] - maps[1]) ** 2).mean().item(), goal.loss(box.scores(z[0])).mean().item()

    (loose, high), (kept, low) = end(0.0), end(1e4)
    assert kept < 0.8 * loose
    assert low < high


def test_two_surrogates_are_climbed_together():
    _, plain = plane()
    x = draws(ROWS, *SHAPE, seed=7)
    goal = pellucid.misled(plain.labels(x))
    climb = SurrogateClimb(ball=BALL, steps=4, decay=1.0, weight=0.0, pool=1)
    both = climb([plain, curved_of_two()], goal, x, x[None])
    for alone in (plain, curved_of_two()):
        assert not torch.equal(both, climb([alone], goal, x, x[None]))


def curved_of_two():
    module = nn.Sequential(nn.Flatten(), nn.Linear(20, 2, bias=False)).double()
    with torch.no_grad():
        module[1].weight.copy_(draws(2, 20, seed=8) - 0.5)
    return pellucid.open(module, access="gradient", shape=SHAPE, emits="logits")


def test_what_makes_no_sense_is_refused():
    for fields in ({"ball": Ball("linf")}, {"ball": Ball("l2", 1.0)}):
        with pytest.raises(UserError, match="Linf ball"):
            QuScore(**fields)
    for fields in ({"population": 1}, {"steps": 0}, {"pool": 0}):
        with pytest.raises(UserError, match="two individuals"):
            QuScore(**fields)

"""AdaEA against its formulas written out with loops, row by row."""

from itertools import combinations

import pytest
import torch
from tests.attack.evade.surrogate_nets import boxes, nets, of_size_one, rows, streams
from torch.nn import functional

import pellucid
from pellucid.attack.evade._adaptive_ensemble import agreement, modulation
from pellucid.attack.evade.adaea import AdaEA
from pellucid.attack.evade.ensemble_mi_fgsm import EnsembleMIFGSM
from pellucid.ball import Ball
from pellucid.errors import UserError

EPSILON, LENGTH = 0.5, 0.125


def ends(method, surrogates, x, goal):
    box = surrogates[0]
    parts = method(box=box, goal=goal, x=x, surrogates=surrogates, rng=streams(x))
    return [z.clone() for z in parts]


def slopes_at(modules, z, y):
    found = []
    for net in modules:
        at = z.detach().requires_grad_()
        functional.cross_entropy(net(at), y).backward()
        found.append(at.grad)
    return found


def weights_at(modules, x, z, y, slopes, beta):
    """The weights of one row, by the formula."""
    trials = [x + (z + LENGTH * g.sign() - x).clamp(-EPSILON, EPSILON) for g in slopes]
    loss = [[functional.cross_entropy(net(t), y).item() for t in trials] for net in modules]
    count = len(modules)
    total = [
        beta * sum(loss[i][k] / loss[i][i] for i in range(count) if i != k) for k in range(count)
    ]
    return torch.tensor(total).double().softmax(0)


def cosine(a, b, official):
    """Agreement of one row's gradients a pixel, by pairs."""
    count, chart = len(a), 0.0
    for i, j in combinations(range(count), 2):
        pair = functional.cosine_similarity(a[i], b[j], dim=1)
        chart = chart + pair * (0.5 if official and j == count - 1 else 1)
    return chart / (count * (count - 1) / 2)


@pytest.mark.parametrize("official", [False, True])
def test_the_recursion_row_by_row(official):
    modules = nets(3)
    x, y = rows(modules)
    method = AdaEA(
        ball=Ball("linf", EPSILON), steps=5, noise=0.0, decay=0.9, official_rows=official, beta=4.0
    )
    found = ends(method, boxes(modules), x, pellucid.misled(y))
    for row in range(len(x)):
        z, v, own = x[row : row + 1], 0.0, y[row : row + 1]
        for iterate in found:
            slopes = slopes_at(modules, z, own)
            weights = weights_at(modules, x[row : row + 1], z, own, slopes, 4.0)
            at = z.detach().requires_grad_()
            fused = sum(w * net(at) for w, net in zip(weights, modules, strict=True))
            functional.cross_entropy(fused, own).backward()
            kept = cosine(slopes, slopes, official) >= 0
            v = 0.9 * v + of_size_one(at.grad * kept[:, None])
            z = z.detach() + LENGTH * v.sign()
            z = x[row] + (z - x[row]).clamp(-EPSILON, EPSILON)
            torch.testing.assert_close(iterate[row], z[0], rtol=0, atol=1e-10)


def test_official_rows_are_the_table_of_the_code_whose_last_row_is_empty():
    slopes = [g.float() for g in slopes_at(nets(4), *rows(nets(4)))]
    count, pairs = 4, {}
    for i, j in combinations(range(count), 2):
        pairs[i, j] = functional.cosine_similarity(slopes[i], slopes[j], dim=1)
    filled = [
        sum(value for pair, value in pairs.items() if i in pair) / (count - 1)
        for i in range(count - 1)
    ]
    due = sum(filled) / count
    got = agreement(slopes, official_rows=True, window=1)[:, 0]
    torch.testing.assert_close(got, due, rtol=0, atol=1e-6)


def test_agreement_over_a_window_is_its_mean():
    slopes = [g.reshape(4, 1, 3, 4) for g in slopes_at(nets(2), *rows(nets(2)))]
    chart = agreement(slopes, official_rows=False, window=1)
    assert set(chart.unique().tolist()) == {-1.0, 1.0}  # of one channel, signs agree or not
    wide = agreement(slopes, official_rows=False, window=3)
    for i, j in ((0, 0), (1, 1), (2, 3)):
        near = chart[:, 0, max(0, i - 1) : i + 2, max(0, j - 1) : j + 2]
        torch.testing.assert_close(wide[:, 0, i, j], near.mean((1, 2)))


def test_without_modulation_and_filter_it_is_the_equal_ensemble():
    modules = nets(3)
    x, y = rows(modules)
    ours = AdaEA(ball=Ball("linf", EPSILON), steps=5, modulated=False, filtered=False)
    theirs = EnsembleMIFGSM(ball=Ball("linf", EPSILON), steps=5, step=0.25, decay=0.9, noise=0.001)
    surrogates, goal = boxes(modules), pellucid.misled(y)
    pairs = zip(ends(ours, surrogates, x, goal), ends(theirs, surrogates, x, goal), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("goal", [pellucid.misled, pellucid.hit])
def test_a_surrogate_that_helps_no_other_counts_less(goal):
    modules = nets(3)
    x, y = rows(modules)
    surrogates = boxes(modules)
    slopes = slopes_at(modules[:2], x, y)
    sign = 1 if goal is pellucid.misled else -1
    slopes = [sign * slope for slope in slopes]
    slopes.append(-slopes[0] - slopes[1])  # against both of the others
    weights = modulation(
        surrogates,
        surrogates[0].spec,
        goal(y),
        Ball("linf", EPSILON),
        x,
        x,
        slopes,
        length=0.01,
        beta=10.0,
    )
    torch.testing.assert_close(sum(weights), torch.ones(len(x)).double())
    assert (weights[2] < 1 / 3).all()


def test_what_is_asked_of_each_surrogate():
    modules = nets(3)
    x, y = rows(modules)
    victim, *surrogates = boxes(nets(4))
    for method, queries, gradients in (
        (AdaEA(steps=2), 8, 4),
        (AdaEA(steps=2, modulated=False), 2, 4),
        (AdaEA(steps=2, modulated=False, filtered=False), 2, 2),
    ):
        found = pellucid.run(method, victim, x, goal=pellucid.misled(y), surrogates=surrogates)
        attacked = found.attacked
        assert set(found.surrogate_queries[:, attacked].flatten().tolist()) == {queries}
        assert set(found.surrogate_gradients[:, attacked].flatten().tolist()) == {gradients}


def test_one_surrogate_is_refused():
    modules = nets(2)
    x, y = rows(modules)
    victim, alone = boxes(modules)
    with pytest.raises(UserError, match="give it two or more"):
        pellucid.run(AdaEA(), victim, x, goal=pellucid.misled(y), surrogates=[alone])


@pytest.mark.parametrize("fields", [{"window": 2}, {"ball": Ball("linf")}])
def test_settings_that_cannot_be_are_refused(fields):
    with pytest.raises(UserError, match=r"odd number|give the ball a radius"):
        AdaEA(**fields)

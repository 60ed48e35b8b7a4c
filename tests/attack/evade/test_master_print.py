"""Master prints where scores are linear, against the linear program; and in whole grey levels."""

import pytest
import torch
from tests.attack.linear_captions import CAPTIONS, D, best, linear

import pellucid
from pellucid.attack.evade.master_print import MasterPrint
from pellucid.attack.evade.master_print_pgd import MasterPrintPGD
from pellucid.attack.master_prints import mine
from pellucid.attack.matches import matches
from pellucid.ball import Ball
from pellucid.errors import UserError
from pellucid.testing.driving import driven
from pellucid.testing.subjects import subject

ALL = torch.arange(CAPTIONS).expand(3, -1)


def rows():
    """Three rows on the grid of bytes."""
    return torch.randint(0, 256, (3, D), generator=torch.Generator().manual_seed(5)).double() / 255


@pytest.mark.parametrize("loss", ["margin", "ce"])
def test_it_comes_near_the_best_image_there_is(loss):
    box, weights = linear()
    due = best(weights, 0, 1)
    prints = mine(MasterPrint(rate=0.02, loss=loss, steps=300), box, rows(), ALL)
    assert (prints.least > 0.95 * due).all()
    assert (prints.least <= due + 1e-9).all()
    assert prints.images.min() >= 0
    assert prints.images.max() <= 1


def test_it_begins_at_noise_and_not_at_x():
    first = driven(MasterPrint(steps=1, rate=1e-9), subject()).iterates[0]
    x = subject().x
    assert (first - x).abs().mean() > 0.2
    assert 0.35 < first.mean() < 0.65


@pytest.mark.slow
def test_the_runner_says_whether_there_is_one_above_a_level():
    box, weights = linear()
    due = best(weights, 0, 1)
    for share, wins in ((0.9, 3), (1.01, 0)):
        goal = matches(ALL, torch.full((3,), share * due, dtype=torch.float64))
        method = MasterPrint(rate=0.02, ball=Ball("linf", 1.0))
        found = pellucid.run(method, box, rows(), goal=goal, budget=300)
        assert int(found.success.sum()) == wins


def test_pgd_reaches_the_corner_that_one_caption_asks_for():
    box, weights = linear()
    x, one = rows(), torch.tensor([[0], [1], [2]])
    prints = mine(MasterPrintPGD(steps=20), box, x, one)
    due = (x + 15 / 255 * weights[:3].sign()).clamp(0, 1)
    assert torch.allclose(prints.images, due, atol=1e-12)


def test_pgd_goes_most_of_the_way_to_the_best_image_of_the_ball_in_whole_levels():
    box, weights = linear()
    x = rows()
    prints = mine(MasterPrintPGD(steps=200), box, x, ALL)
    levels = 255 * prints.images
    assert torch.allclose(levels, levels.round(), atol=1e-9)
    assert ((prints.images - x).abs().amax(1) <= 15 / 255 + 1e-12).all()
    for row, least in zip(x, prints.least.tolist(), strict=True):
        low, high = (row - 15 / 255).clamp(0, 1).numpy(), (row + 15 / 255).clamp(0, 1).numpy()
        clean = (weights @ row).amin().item()
        assert least <= best(weights, low, high) + 1e-9
        assert least - clean > 0.5 * (best(weights, low, high) - clean)


def test_a_row_between_two_levels_stays_in_its_ball():
    on = subject(shape=(D,))
    for iterate in driven(MasterPrintPGD(steps=30, ball=Ball("linf", 2 / 255)), on).iterates:
        levels = 255 * iterate
        assert torch.allclose(levels, levels.round(), atol=1e-3)
        assert ((iterate - on.x).abs() <= 2 / 255 + 1e-6).all()


def test_pgd_refuses_other_balls():
    with pytest.raises(UserError, match="linf"):
        MasterPrintPGD(ball=Ball("l2", 1.0))
    tiny = MasterPrintPGD(ball=Ball("linf", 0.001))
    with pytest.raises(UserError, match="one grey level"):
        mine(tiny, linear()[0], rows(), ALL)

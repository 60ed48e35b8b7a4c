"""What QuScore's claim is measured with: overlaps, defences, and the plain genetic rival."""

import pytest
import torch

from pellucid.attack.evade.quscore import QuScore
from pellucid.ball import Ball
from pellucid.claims._explanation_maps import highest, overlap
from pellucid.claims._generational import Generational
from pellucid.claims._quscore_networks import Defended, rounded, smoothed
from pellucid.claims._random_pixels import RandomPixels
from pellucid.testing.driving import attacked, driven
from pellucid.testing.subjects import subject


def test_an_overlap_is_of_the_three_tenths_that_are_highest():
    one = torch.arange(10.0)[None]
    other = torch.tensor([[0, 0, 0, 0, 0, 1.0, 2, 3, 0, 0]])
    assert highest(one, 3).nonzero()[:, 1].tolist() == [7, 8, 9]
    assert overlap(one, other).tolist() == pytest.approx([1 / 5])
    assert overlap(one, 2 * one).tolist() == [1]


def test_the_defences():
    x = torch.rand(3, 1, 6, 7, generator=torch.Generator().manual_seed(0))
    steps = rounded(x) * 31
    assert torch.allclose(steps, steps.round())
    assert (rounded(x) - x).abs().max() <= 0.5 / 31 + 1e-6
    middle = smoothed(x)
    assert middle.shape == x.shape
    for i, j in ((1, 1), (3, 4), (4, 5)):
        window = x[:, 0, i - 1 : i + 2, j - 1 : j + 2].flatten(1)
        assert torch.equal(middle[:, 0, i, j], window.median(1).values)
    assert torch.equal(Defended(torch.nn.Flatten(), rounded)(x), rounded(x).flatten(1))


def test_the_plain_rival_keeps_its_fittest_and_pays_for_the_others():
    like = QuScore(ball=Ball("linf", 0.1), generations=20, mutation=0.1, transfer=False)
    on = subject(dtype=torch.float64)
    iterates = driven(Generational(like=like), on).iterates
    losses = torch.stack([on.goal.loss(on.box.scores(z)) for z in iterates])
    assert (losses.diff(dim=0) >= 0).all()
    found = attacked(Generational(like=like), on, goal=on.goal & ~on.goal)
    assert found.queries.tolist() == [5 + 20 * 4] * len(on.x)


def test_random_search_changes_few_pixels_of_those_it_may():
    on = subject(shape=(1, 6, 6))
    found = attacked(RandomPixels(pixels=2), on)
    assert found.success.all()
    changed = (found.adversarial != on.x).flatten(1).sum(1)
    assert int(changed.max()) < 18
    assert found.queries.tolist() == [300] * len(on.x)

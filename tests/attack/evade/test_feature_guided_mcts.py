"""Feature-guided search against brute force over sets of pixels, and its parts by definition."""

from itertools import combinations

import pytest
import torch
from torch import nn

import pellucid
from pellucid.attack.evade._feature_game import FeatureGame
from pellucid.attack.evade._pixel_searches import Reply, backtracked, drawn, far_ends, painted
from pellucid.attack.evade._saliency import SALIENCIES, Saliency
from pellucid.attack.evade.feature_guided_mcts import FeatureGuidedMCTS
from pellucid.errors import UserError
from pellucid.rng import Streams, ids_of
from pellucid.testing.driving import attacked, driven
from pellucid.testing.subjects import subject

PIXELS = 9


def draws(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def tiny():
    """A network of 3 x 3 binary pixels, and a box of it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        first, second = nn.Linear(PIXELS, 12), nn.Linear(12, 3)
        nn.init.normal_(first.weight)
    module = nn.Sequential(nn.Flatten(), first, nn.Tanh(), second)
    return pellucid.open(module, access="score", shape=(1, 3, 3), emits="logits")


@pytest.mark.slow
def test_it_finds_the_fewest_pixels_that_brute_force_finds():
    box = tiny()
    x = (draws(12, 1, 3, 3, seed=3) < 0.5).float()
    y = box.labels(x)
    fewest = torch.full((12,), PIXELS + 1)
    for count in range(PIXELS, 0, -1):
        for pixels in combinations(range(PIXELS), count):
            z = painted(x, 1 - x, [pixels] * 12)
            fewest[box.labels(z) != y] = count
    method = FeatureGuidedMCTS(saliency="pixels", pixels=1, sets=1, simulations=150)
    found = pellucid.run(method, box, x, goal=pellucid.misled(y), budget=400)
    count = (found.adversarial != x).flatten(1).sum(1)
    assert torch.equal(count[found.success], fewest[found.success])
    assert torch.equal(found.success, fewest <= PIXELS)
    assert len(set(fewest.tolist())) > 1


def test_changed_pixels_go_to_their_far_ends_and_others_stay():
    on = subject(shape=(2, 3, 4))
    driven(FeatureGuidedMCTS(pixels=2, simulations=3), on)
    ends = torch.where(on.x < 0.5, 1.0, 0.0)
    asked = torch.cat(on.tally.asked)[:, None]
    same, far = (asked == on.x).all(2), (asked == ends).all(2)  # all channels of a pixel alike
    assert (same | far).flatten(2).all(2).any(1).all()


def test_without_bounds_the_ends_are_the_rows_own():
    spec = subject(shape=(1, 2, 3), bounds=(-torch.inf, torch.inf)).box.spec
    x = torch.tensor([[[[0.0, 1.0, 2.0], [8.0, 9.0, 10.0]]]])
    assert far_ends(spec, x).flatten().tolist() == [10, 10, 10, 0, 0, 0]


def questions(search, met):
    """All that a search asks, if it is told so."""
    try:
        question = next(search)
        while True:
            yield question
            question = search.send(Reply(0.0, met(question)))
    except StopIteration:
        return


def test_putting_back_leaves_only_what_is_needed():
    left = []

    def watched():
        left.append((yield from backtracked(tuple(range(12)), (4, 1))))

    asked = list(questions(watched(), lambda pixels: {3, 7} <= set(pixels)))
    assert left == [(3, 7)]
    assert len(asked) == 3 + 8  # three groups of four, and the eight pixels that are left of them


def test_pixels_are_drawn_by_their_densities_and_never_twice():
    density = torch.tensor([0.5, 0.25, 0.25, 0.0]).double()
    keys = draws(6000, 4)
    firsts = torch.tensor([drawn(density, (), 1, key)[0] for key in keys])
    shares = firsts.bincount(minlength=4) / 6000
    assert (shares - density).abs().max() < 0.02
    for key in keys[:50]:
        assert sorted(drawn(density, (1,), 4, key)) == [0, 2]


def blob(height, width, y, x, deviation):
    down = (torch.arange(height).double()[:, None] - y) ** 2
    across = (torch.arange(width).double() - x) ** 2
    return torch.exp(-(down + across) / (2 * deviation**2))


def test_sift_finds_a_blob_where_it_is_and_the_stronger_first():
    picture = blob(28, 28, 8, 9, 1.5) + 0.5 * blob(28, 28, 19, 18, 1.5)
    found = SALIENCIES["sift"](picture, 15, 15.0)
    assert found.weights.sum().item() == pytest.approx(1)
    assert torch.allclose(found.densities.sum(1), torch.ones(len(found.weights)).double())
    peaks = found.densities.argmax(1)
    for y, x in ((8, 9), (19, 18)):
        near = ((peaks // 28 - y).abs() <= 1) & ((peaks % 28 - x).abs() <= 1)
        assert near.any()
    strongest = int(peaks[found.weights.argmax()])
    assert abs(strongest // 28 - 8) <= 1
    assert abs(strongest % 28 - 9) <= 1


def test_a_picture_without_keypoints_is_salient_everywhere():
    found = SALIENCIES["sift"](torch.zeros(8, 8), 15, 15.0)
    assert found.weights.tolist() == [1]
    assert (found.densities == 1 / 64).all()


def game(**kwargs):
    weights = torch.tensor([0.2, 0.5, 0.3]).double()
    densities = torch.eye(3).double().repeat_interleave(2, 1) / 2  # two pixels each
    x = draws(1, 3)
    rng = Streams(0, ids_of(x), x)
    fields = {"pixels": 2, "sets": 2, "second": "maximiser"} | kwargs
    return FeatureGame(Saliency(weights=weights, densities=densities), rng, **fields)


def test_lines_of_the_game():
    play = game()
    assert list(play.moves(())) == [1, 2, 0]  # the strongest first
    assert list(play.moves((1,))) == [0, 1]
    assert sorted(play.changed((1, 0))) == [2, 3]
    assert play.changed((1, 0, 2)) == play.changed((1, 0))
    assert sorted(play.changed((1, 0, 2, 1))) == [2, 3, 4, 5]
    assert play.moves((1, 0, 1, 0)) == ()  # its pixels are all taken
    play.best = 3
    assert play.moves((1, 0)) == ()  # two are changed, and a third would not be fewer
    assert game(second="nature").player((1,)) == "nature"
    assert game(second="nature").player(()) == "maximiser"


def test_keypoints_are_picked_by_weight_and_learn():
    play = game()
    numbers = ((torch.arange(1000) + 0.5) / 1000).tolist()
    picked = torch.tensor([play.pick(n, explore=False) for n in numbers]).bincount()
    assert picked.tolist() == [200, 500, 300]
    play.weigh(0, 100.0)  # counts as one, over the rate of 25
    picked = torch.tensor([play.pick(n, explore=False) for n in numbers]).bincount()
    assert picked[0].item() == pytest.approx(1000 * 0.24 / 1.04, abs=1)
    for _ in range(30):
        play.weigh(1, -1.0)
    assert 1 not in {play.pick(n, explore=False) for n in numbers}
    assert 1 in {play.pick(n, explore=True) for n in numbers}


def test_rows_share_their_calls():
    on = subject(shape=(1, 5, 5), rows=6)
    found = attacked(FeatureGuidedMCTS(pixels=2), on, budget=60)
    assert found.calls == int(found.queries.max())


def test_what_makes_no_sense_is_refused():
    for fields in ({"simulations": 0}, {"restore": (10, 0)}, {"widen": 0.0}):
        with pytest.raises(UserError, match="whole numbers from 1 up"):
            FeatureGuidedMCTS(**fields)

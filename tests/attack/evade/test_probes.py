"""Probes of low waves, and the normal that their labels tell, against the normal of a plane."""

import pytest
import torch
from torch import nn

import pellucid
from pellucid.attack.evade._picture import low_waves
from pellucid.attack.evade._probes import gaussian, lowest, signed_mean
from pellucid.attack.evade.hop_skip_jump import HopSkipJump
from pellucid.box.views import Direct, LabelView
from pellucid.errors import UserError
from pellucid.rng import Streams
from pellucid.spec import Image, OneClass, Spec, Vector

ROWS = 3
D = 2 * 16 * 8


def plane():
    """Images of two channels, and a linear model whose second class is wherever w . x > w . 0.5."""
    w = torch.randn(D, generator=torch.Generator().manual_seed(1))
    model = nn.Sequential(nn.Flatten(), nn.Linear(D, 2))
    with torch.no_grad():
        model[1].weight.copy_(torch.stack([0 * w, w]))
        model[1].bias.copy_(torch.stack([w.sum() / 2, 0 * w[0]]))
    box = pellucid.open(model, access="label", shape=(2, 16, 8), emits="logits")
    return LabelView(Direct(box)), w, torch.full((ROWS, 2, 16, 8), 0.5)


def streams():
    return Streams(0, [str(row) for row in range(ROWS)], torch.zeros(()))


@pytest.mark.parametrize(
    ("given", "reduction", "due"),
    [
        (Image(shape=(3, 32, 32)), 4.0, (8, 8)),
        (Image(shape=(1, 28, 20)), 4.0, (7, 5)),
        (Image(shape=(1, 28, 28)), 2.5, (11, 11)),
        (Image(shape=(1, 8, 8)), 100.0, (1, 1)),
        (Image(shape=(1, 8, 8)), 1.0, None),
        (Vector(shape=(1, 8, 8)), 4.0, None),
    ],
)
def test_the_lowest_waves_are_a_share_of_an_image_s(given, reduction, due):
    assert lowest(Spec(input=given, answer=OneClass(size=2)), reduction) == due


def test_probes_without_waves_are_the_streams_own():
    drawn = gaussian(streams(), 5, (2, 16, 8), None)
    assert torch.equal(drawn, streams().normal(5, (2, 16, 8)))
    drawn = gaussian(streams(), 5, (2, 16, 8), (4, 2))
    assert torch.equal(drawn, low_waves(streams(), 5, (2, 16, 8), (4, 2)))


@pytest.mark.parametrize("waves", [None, (4, 2)])
@pytest.mark.parametrize("draw", [7, 1000])
def test_it_is_the_mean_of_probes_with_the_signs_of_their_sides(waves, draw):
    box, w, z = plane()
    goal = pellucid.hit(torch.ones(ROWS, dtype=torch.long))
    found = signed_mean(box, goal, z, 1e-2, 20, streams(), waves=waves, draw=draw)
    rng = streams()
    parts = [min(draw, 20 - first) for first in range(0, 20, draw)]
    probes = torch.cat([gaussian(rng, part, (2, 16, 8), waves) for part in parts])
    signs = (probes.flatten(2) @ w).sign()[:, :, None, None, None]
    assert torch.allclose(found, (signs * probes).mean(0), atol=1e-6)


def test_it_points_along_the_part_of_the_normal_that_is_in_the_subspace():
    box, w, z = plane()
    goal = pellucid.hit(torch.ones(ROWS, dtype=torch.long))
    waves = (4, 2)
    found = signed_mean(box, goal, z, 1e-2, 3000, streams(), waves=waves, draw=500).flatten(1)
    many = low_waves(streams(), 200, (2, 16, 8), waves)[:, 0].flatten(1)
    span = torch.linalg.qr(many[: 2 * 4 * 2].T).Q
    seen = span @ (span.T @ w)
    assert (torch.cosine_similarity(found, seen[None]) > 0.98).all()


def test_hop_skip_jump_probes_in_low_waves_if_it_is_told_to():
    _, _, z = plane()
    asked = []
    model = nn.Sequential(nn.Flatten(), nn.Linear(D, 2))
    model.register_forward_pre_hook(lambda _, given: asked.append(given[0].clone()))
    box = pellucid.open(model, access="label", shape=(2, 16, 8), emits="logits")
    goal = ~pellucid.hit(box.labels(z[:1]))
    for reduction, rank in ((1.0, 39), (8.0, 2 * 2 * 1)):
        asked.clear()
        method = HopSkipJump(steps=1, probes=40, reduction=reduction)
        pellucid.run(method, box, z[:1], goal=goal, budget=None, progress=False)
        probes = max(asked, key=len)[:40].flatten(1).double()
        apart = torch.linalg.svdvals(probes - probes.mean(0))
        assert int((apart > 1e-3 * apart[0]).sum()) == rank


def test_more_than_all_waves_are_refused():
    with pytest.raises(UserError, match="reduction is 1 or more"):
        HopSkipJump(reduction=0.9)

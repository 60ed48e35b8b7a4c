"""The two towers: what they answer, and that words alone tell captions apart."""

import torch
from torch.nn import functional

from pellucid.models.captioned import Captioned
from pellucid.models.two_tower import CEILING, TwoTower

CAPTIONS = ("red one", "one red", "blue one", "a blue one")


def tower():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return TwoTower(CAPTIONS, shape=(3, 8, 8), width=16, channels=(2, 4), hidden=8)


def test_the_logits_are_scaled_cosines():
    net, x = tower(), torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    cosines = functional.cosine_similarity(net.image(x)[:, None], net.texts()[None], dim=-1)
    assert torch.allclose(net(x), CEILING * cosines, atol=1e-4)
    assert torch.allclose(Captioned(net.image, net.texts())(x), cosines, atol=1e-6)


def test_the_scale_stops_at_the_ceiling():
    net, x = tower(), torch.rand(2, 3, 8, 8)
    before = net(x)
    with torch.no_grad():
        net.log_scale += 5
    assert torch.allclose(net(x), before)


def test_a_caption_is_a_bag_of_words():
    texts = tower().texts()
    assert torch.allclose(texts[0], texts[1])
    assert not torch.allclose(texts[1], texts[2])
    assert not torch.allclose(texts[2], texts[3])
    assert torch.allclose(texts.norm(dim=1), torch.ones(4))

"""Evolution of latents: cma's own steps, principal components, and optima that are known."""

import warnings

import numpy as np
import pytest
import torch
from scipy.optimize import rosen
from torch import nn

from pellucid.attack.evade._evolution import Evolution
from pellucid.attack.evade._principal import Principal
from pellucid.attack.evade.latent_evolution import LatentEvolution
from pellucid.attack.master_prints import mine
from pellucid.box.torch_box import TorchBox
from pellucid.errors import UserError
from pellucid.rng import Streams
from pellucid.spec import Image, Spec, Values

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of matplotlib, which is not here
    from cma import CMAEvolutionStrategy


class Near(nn.Module):
    """One caption, whose score is minus the squared distance from a picture."""

    def __init__(self, target):
        super().__init__()
        self.register_buffer("target", target)

    def forward(self, x):
        return -(x - self.target).square().flatten(1).sum(1, keepdim=True)


def stream():
    return Streams(0, ["a"], torch.zeros(1, dtype=torch.float64))


@pytest.mark.parametrize("function", [rosen, lambda z: float((z**2).sum())])
def test_it_finds_what_cma_finds_step_by_step(function):
    ours, rng = Evolution(5, 1.0, None, stream()), stream()

    def normal(count, d):
        return rng.normal(count, (d,))[:, 0].numpy()

    options = {"randn": normal, "seed": np.nan, "verbose": -9}
    theirs = CMAEvolutionStrategy(normal(1, 5)[0], 1.0, options)
    for _ in range(400):
        asked, due = ours.ask(), theirs.ask()
        assert np.array_equal(asked.numpy(), np.stack(due))
        losses = [function(z) for z in due]
        theirs.tell(due, losses)
        if not ours.tell(torch.tensor(losses, dtype=torch.float64)):
            break
    assert theirs.result.fbest < 1e-9


def test_the_global_generator_is_left_alone():
    before = np.random.get_state()[1].copy()
    search = Evolution(3, 1.0, 6, stream())
    for _ in range(5):
        asked = search.ask()
        search.tell(asked.square().sum(1))
    assert asked.shape == (6, 3)
    assert np.array_equal(np.random.get_state()[1], before)


def test_principal_components_rebuild_images_of_few_directions():
    rng = torch.Generator().manual_seed(0)
    images = 3 + torch.randn(50, 2, generator=rng) @ torch.randn(2, 12, generator=rng)
    decoder = Principal.of(images.reshape(50, 3, 2, 2), 5)
    assert decoder(torch.zeros(1, 5)).reshape(-1) == pytest.approx(images.mean(0), abs=1e-5)
    decoded = decoder(torch.randn(4000, 5, generator=rng)).flatten(1)
    assert torch.allclose(torch.cov(decoded.T), torch.cov(images.double().T), atol=0.6)
    assert decoder.directions[2:].abs().max() < 1e-5  # there are but two


def test_it_finds_a_picture_that_the_decoder_can_make():
    rng = torch.Generator().manual_seed(1)
    images = 0.5 + 0.05 * torch.randn(40, 1, 3, 3, generator=rng)
    target = Principal.of(images, 4)(torch.tensor([[1.0, -2.0, 0.5, 1.5]])).float()
    box = TorchBox(
        module=Near(target),
        spec=Spec(input=Image(shape=(1, 3, 3)), answer=Values(size=1)),
        emits="values",
    )
    method = LatentEvolution(components=4, generations=60)
    captions = torch.zeros(2, 1, dtype=torch.long)
    prints = mine(method, box, images[:2], captions, data=(images, None))
    assert (prints.least > -1e-6).all()
    assert (prints.queries <= 60 * 8).all()


def test_without_images_it_says_so():
    box = TorchBox(
        module=Near(torch.zeros(1, 3, 3)),
        spec=Spec(input=Image(shape=(1, 3, 3)), answer=Values(size=1)),
        emits="values",
    )
    x, captions = torch.full((1, 1, 3, 3), 0.5), torch.zeros(1, 1, dtype=torch.long)
    with pytest.raises(UserError, match="pass data="):
        mine(LatentEvolution(), box, x, captions)
    with pytest.raises(UserError, match="three or more"):
        mine(LatentEvolution(), box, x, captions, data=(x, None))

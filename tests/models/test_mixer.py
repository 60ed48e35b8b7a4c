"""The mixer: its size, its shapes, and what it mixes."""

import pytest
import torch

from pellucid.errors import UserError
from pellucid.models import Mixer
from pellucid.models.mixer import MixerBlock


def test_default_size():
    block = 2 * 128 + 2 * 65 * 64 + 65 * 128 + 129 * 64
    size = 49 * 64 + 3 * block + 128 + 65 * 10
    assert sum(weight.numel() for weight in Mixer().parameters()) == size


def test_logits_of_other_shapes():
    net = Mixer((1, 12, 8), classes=7, patch=4, width=6, depth=2, across=3, hidden=5)
    assert net(torch.rand(3, 1, 12, 8)).shape == (3, 7)


def test_every_part_is_called():
    net, called = Mixer(width=8, depth=2), set()
    for name, part in net.named_modules():
        part.register_forward_hook(lambda *_, name=name: called.add(name))
    net(torch.rand(1, 3, 32, 32))
    assert called == {name for name, _ in net.named_modules()}


@pytest.mark.parametrize(("silent", "others_move"), [("across", False), ("within", True)])
def test_one_token_reaches_the_others_by_the_layers_across_alone(silent, others_move):
    block, tokens = MixerBlock(tokens=5, width=4, across=6, hidden=6), torch.rand(1, 5, 4)
    last = block.get_submodule(silent)[-1]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.zeros_(last.bias)
    other = tokens.clone()
    other[0, 2] = torch.tensor([3.0, -1.0, 0.5, 2.0])
    moved = (block(other) - block(tokens)).abs().amax(-1)[0] > 1e-6
    assert moved.tolist() == [others_move, others_move, True, others_move, others_move]


def test_patches_that_do_not_fill_the_image_are_refused():
    with pytest.raises(UserError, match="do not fill images of 32 x 32"):
        Mixer(patch=5)

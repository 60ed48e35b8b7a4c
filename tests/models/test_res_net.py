"""The residual network: its size, its shapes, and that blocks add to what comes in."""

import pytest
import torch

from pellucid.models import ResNet
from pellucid.models.res_net import ResidualBlock


def test_default_size():
    stages = 2 * (9 * 16 * 16 + 32)
    for before, after in ((16, 32), (32, 64)):
        stages += 9 * before * after + 9 * after**2 + before * after + 6 * after
    size = 9 * 3 * 16 + 32 + stages + 65 * 10
    assert sum(weight.numel() for weight in ResNet().parameters()) == size


@pytest.mark.parametrize("blocks", [1, 2])
def test_logits_of_other_shapes(blocks):
    net = ResNet((1, 9, 14), classes=7, channels=(2, 3), blocks=blocks)
    assert net(torch.rand(3, 1, 9, 14)).shape == (3, 7)
    convolutions = [p for p in net.modules() if isinstance(p, torch.nn.Conv2d)]
    assert len([p for p in convolutions if p.kernel_size == (3, 3)]) == 1 + 4 * blocks


def test_every_part_is_called():
    net, called = ResNet(channels=(2, 3)), set()
    for name, part in net.named_modules():
        part.register_forward_hook(lambda *_, name=name: called.add(name))
    net(torch.rand(1, 3, 32, 32))
    assert called == {name for name, _ in net.named_modules()}


def test_a_block_that_has_learned_nothing_passes_its_input_on():
    block, x = ResidualBlock(3, 3, 1).eval(), torch.rand(2, 3, 5, 5)
    torch.nn.init.zeros_(block.norm2.weight)
    torch.testing.assert_close(block(x), x)

"""The CNN of blocks: its size, its shapes, and that blocks follow the channels."""

import pytest
import torch

from pellucid.models import BlockCNN


def test_default_size():
    assert sum(weight.numel() for weight in BlockCNN().parameters()) == 620_362


@pytest.mark.parametrize("channels", [(4,), (4, 6), (4, 6, 3)])
def test_logits_of_other_shapes(channels):
    net = BlockCNN((2, 17, 9), classes=7, channels=channels, hidden=5)
    assert net(torch.rand(3, 2, 17, 9)).shape == (3, 7)
    assert net.linear1.in_features == channels[-1] * (17 >> len(channels)) * (9 >> len(channels))


def test_every_part_is_called_once():
    net, called = BlockCNN(channels=(2, 2)), []
    for name, part in net.named_modules():
        part.register_forward_hook(lambda *_, name=name: called.append(name))
    net(torch.rand(1, 3, 32, 32))
    assert sorted(called) == sorted(name for name, _ in net.named_modules())

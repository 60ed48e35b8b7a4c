"""The small CNN's size, shapes and names."""

import torch

from pellucid.models import SmallCNN


def test_default_size():
    assert sum(weight.numel() for weight in SmallCNN().parameters()) == 206_922


def test_logits_of_other_shapes():
    net = SmallCNN((3, 13, 10), classes=7, channels=(2, 4), hidden=5)
    assert net(torch.rand(2, 3, 13, 10)).shape == (2, 7)


def test_parts_have_names_to_tap():
    names = [name for name, _ in SmallCNN().named_children()]
    assert names == [
        *("conv1", "relu1", "pool1"),
        *("conv2", "relu2", "pool2"),
        *("flatten", "linear1", "relu3", "linear2"),
    ]


def test_every_part_is_called():
    net, called = SmallCNN((1, 8, 8)), []
    for name, part in net.named_children():
        part.register_forward_hook(lambda *_, name=name: called.append(name))
    net(torch.rand(1, 1, 8, 8))
    assert called == [name for name, _ in net.named_children()]

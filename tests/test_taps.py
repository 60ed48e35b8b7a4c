"""Taps read and rewrite by name, and leave no hook behind."""

import pytest
import torch
from torch import nn

from pellucid.errors import UserError
from pellucid.taps import tap


def net():
    return nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Linear(3, 1))).eval()


def hooks(module):
    return [len(part._forward_hooks) for part in module.modules()]


X = torch.tensor([[1.0, -2.0], [0.5, 3.0]])


def test_reads_by_pattern():
    module = net()
    with tap(module, "1.*") as acts:
        out = module(X)
    assert sorted(acts) == ["1.0", "1.1"]
    assert torch.equal(acts["1.0"], module[0](X).relu())
    assert torch.equal(acts["1.1"], out)
    assert acts["1.0"].requires_grad


def test_the_latest_pass_counts():
    module = net()
    with tap(module, "0") as acts:
        module(X)
        module(X[:1])
    assert torch.equal(acts["0"], module[0](X[:1]))


def test_rewrites():
    module = net()
    with tap(module, "1.0", lambda _name, a: torch.zeros_like(a)) as acts:
        out = module(X)
    assert torch.equal(out, module[1][1].bias.expand(2, 1))
    assert not acts["1.0"].any()
    assert not torch.equal(module(X), out)


def test_hooks_go_however_the_block_ends():
    module = net()
    with tap(module, "*"):
        assert sum(hooks(module)) > 0
    assert sum(hooks(module)) == 0
    with pytest.raises(ZeroDivisionError), tap(module, "*"):
        raise ZeroDivisionError
    assert sum(hooks(module)) == 0


def test_unknown_names_are_answered_with_near_ones():
    with pytest.raises(UserError, match=r"'1\.2'.*1\.[01]"), tap(net(), "1.2"):
        pass

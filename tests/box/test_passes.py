"""Passes through the module itself are charged, and no hook stays."""

import pytest
import torch
from tests.subjects import Counting, vector_box
from torch import nn

from pellucid.box.views import WhiteView
from pellucid.box.window import Window
from pellucid.errors import UserError
from pellucid.ledger import Ledger, OutOfQueries

X = torch.arange(8.0).reshape(4, 2)


@pytest.fixture
def shown():
    """A white view of a linear model over four rows with a budget of 3, and its ledger."""
    torch.manual_seed(0)
    window = Window(vector_box(Counting(nn.Linear(2, 2)), pad=1), Ledger(4, 3))
    return window, WhiteView(window, torch.arange(4)), window.ledger


def hooks(module):
    return sum(len(p._forward_hooks) + len(p._forward_pre_hooks) for p in module.modules())


def test_a_pass_is_shared_by_the_open_rows(shown):
    window, view, ledger = shown
    with window.guarding("A"):
        view.module(X)
        assert ledger.queries.tolist() == [1, 1, 1, 1]
        ledger.closed[0] = True
        view.module(X[:3])
        assert ledger.queries.tolist() == [1, 2, 2, 2]
        view.labels(X)
    assert ledger.queries.tolist() == ledger.paid.tolist() == [1, 3, 3, 3]
    assert ledger.calls == 3


def test_no_pass_goes_beyond_the_budget(shown):
    window, view, ledger = shown
    with window.guarding("A"):
        for _ in range(3):
            view.module(X)
        with pytest.raises(OutOfQueries):
            view.module(X[:1])
        assert window.box.module.rows == 12
    window, view, ledger = shown
    ledger.queries[:] = 0
    ledger.queries[2] = 2
    with window.guarding("A"):
        with pytest.raises(OutOfQueries):
            view.module(X.repeat(2, 1))
        assert window.box.module.rows == 12
    assert ledger.queries.tolist() == [0, 0, 2, 0]


def test_a_pass_by_keyword_is_a_pass(shown):
    window, view, ledger = shown
    with window.guarding("A"):
        view.module(x=X)
    assert ledger.queries.tolist() == [1, 1, 1, 1]


def test_gradients_through_the_module_are_counted(shown):
    window, view, ledger = shown
    z = X.clone().requires_grad_()
    with window.guarding("A"):
        view.module(z).sum().backward()
        assert ledger.gradients.tolist() == [1, 1, 1, 1]
        ledger.closed[1] = True
        view.module(z).sum().backward()
    assert int(ledger.gradients.sum()) >= 8
    assert ledger.gradients[1] == 1


def test_a_question_by_the_box_is_not_charged_twice(shown):
    window, view, ledger = shown
    with window.guarding("A"):
        z = X.clone().requires_grad_()
        torch.autograd.grad(view.logits(z).sum(), z)
    assert ledger.queries.tolist() == ledger.paid.tolist() == ledger.gradients.tolist() == [1] * 4
    assert ledger.calls == 1


def test_hooks_go_however_it_ends(shown):
    window, view, ledger = shown
    with window.guarding("A"):
        assert hooks(window.box.module) > 0
    assert hooks(window.box.module) == 0
    with pytest.raises(ZeroDivisionError), window.guarding("A"):
        raise ZeroDivisionError
    assert hooks(window.box.module) == 0
    view.module(X)
    assert not ledger.queries.any()


@pytest.mark.parametrize("end", [None, OutOfQueries])
def test_changed_weights_are_seen_however_it_ends(shown, end):
    window, view, _ = shown

    def steal():
        with window.guarding("Thief"):
            with torch.no_grad():
                view.module.inner.bias.add_(1e-3)
            if end is not None:
                raise end

    with pytest.raises(RuntimeError, match="Thief has changed the model's weights"):
        steal()


def test_vectorised_passes_are_refused(shown):
    """One pass under vmap would carry many inputs for the price of a few."""
    window, view, ledger = shown
    with window.guarding("A"), pytest.raises(UserError, match="cannot be counted"):
        torch.vmap(view.module)(X.expand(5, 4, 2))
    assert window.box.module.rows == 0
    assert not ledger.queries.any()


def test_vectorised_gradients_are_refused(shown):
    window, view, _ = shown
    z = X.clone().requires_grad_()
    with window.guarding("A"):
        out = view.module(z)
        with pytest.raises(UserError, match="cannot be counted"):
            torch.autograd.grad(out, z, torch.ones(5, 4, 2), is_grads_batched=True)


def test_second_derivatives_through_the_module_are_counted():
    module = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2))
    window = Window(vector_box(module, pad=1), Ledger(4))
    z = X.clone().requires_grad_()
    with window.guarding("A"):
        out = WhiteView(window, torch.arange(4)).module(z)
        (first,) = torch.autograd.grad(out[:, 0].sum(), z, create_graph=True)
        torch.autograd.grad(first.square().sum(), z)
    assert window.ledger.gradients.tolist() == [2] * 4

"""The window: who pays, who is answered, and what is seen of it."""

import math

import pytest
import torch
from tests.subjects import Counting, Formula, identity_box, vector_box
from torch import nn

from pellucid.box import window as window_module
from pellucid.box.torch_box import TorchBox
from pellucid.box.views import GradView
from pellucid.box.window import Window
from pellucid.errors import UserError
from pellucid.ledger import Ledger, OutOfQueries, OutOfTime
from pellucid.rows import Ragged
from pellucid.spec import NO_ANSWER, BadQuestion, OneClass, Points, Spec

X = torch.tensor([[2.0, -1.0], [0.0, 3.0], [1.0, 0.5]])
EVERY = torch.arange(3)


def stand(n=3, budget=None, module=None, **facts):
    """A window on the identity (counted), its ledger, and what its watch has seen."""
    seen = []
    box = vector_box(Counting(module or Formula(lambda x: x)), pad=1, **facts)
    ledger = Ledger(n, budget)

    def watch(asked, answer, who, number):
        seen.extend(
            (row, at, z.tolist(), a.tolist())
            for z, a, row, at in zip(asked, answer, who.tolist(), number.tolist(), strict=True)
        )

    return Window(box, ledger, watch=watch), ledger, seen


def test_a_row_pays_a_query_a_probe():
    window, ledger, _ = stand()
    assert window.ask("labels", X, EVERY).tolist() == [0, 1, 0]
    assert window.ask("scores", X.expand(2, 5, 3, 2), EVERY).shape == (2, 5, 3, 2)
    window.ask("labels", X[1:2].expand(4, 1, 2), EVERY[1:2])
    assert ledger.queries.tolist() == ledger.paid.tolist() == [11, 15, 11]
    assert ledger.calls == 3
    assert window.box.module.rows == 37


def test_calls_are_counted_as_the_model_sees_them():
    window, ledger, _ = stand(rows_per_call=4)
    window.ask("labels", X.expand(3, 3, 2), EVERY)
    assert ledger.calls == window.box.module.passes == 3


@pytest.mark.parametrize(
    ("kind", "no"), [("labels", NO_ANSWER), ("scores", math.nan), ("logits", math.nan)]
)
def test_rows_are_answered_as_far_as_they_can_pay(kind, no):
    """The first probes are answered; what is not answered was not asked."""
    window, ledger, seen = stand(budget=5)
    ledger.queries[:] = torch.tensor([0, 3, 5])
    probes = X + torch.arange(4.0).reshape(4, 1, 1) * torch.tensor([0.0, 1.0])
    free = identity_box()
    expected = {"labels": free.labels, "scores": free.scores, "logits": free.logits}[kind](probes)
    expected = expected.clone()
    expected[2:, 1] = no
    expected[:, 2] = no
    got = window.ask(kind, probes, EVERY)
    torch.testing.assert_close(got, expected, equal_nan=True, rtol=0, atol=0)
    assert ledger.queries.tolist() == [4, 5, 5]
    assert ledger.paid.tolist() == [4, 2, 0]
    assert window.box.module.rows == 6
    assert sorted((row, at) for row, at, _, _ in seen) == [(0, 1), (0, 2), (0, 3), (0, 4), (1, 4),
                                                            (1, 5)]  # fmt: skip
    for row, at, z, _ in seen:
        assert z == probes[at - (1 if row == 0 else 4), row].tolist()


def test_the_watch_sees_each_answer_with_its_row_and_number():
    window, _, seen = stand()
    rows = torch.tensor([2, 0])
    probes = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 2.0], [3.0, 0.0]]])
    for _ in range(2):
        window.ask("labels", probes, rows)
    for begin, part in ((0, seen[:4]), (2, seen[4:])):
        assert sorted(part) == [
            (0, begin + 1, [0.0, 1.0], 1),
            (0, begin + 2, [3.0, 0.0], 0),
            (2, begin + 1, [1.0, 0.0], 0),
            (2, begin + 2, [0.0, 2.0], 1),
        ]


def test_closed_rows_cost_nothing():
    window, ledger, seen = stand()
    ledger.closed[1] = True
    assert window.ask("labels", X, EVERY).tolist() == [0, NO_ANSWER, 0]
    assert window.ask("labels", X[1:2], EVERY[1:2]).tolist() == [NO_ANSWER]
    assert ledger.queries.tolist() == [1, 0, 1]
    assert {row for row, *_ in seen} == {0, 2}
    assert window.box.module.rows == 2
    assert ledger.calls == 1


def test_the_end_comes_when_no_row_can_pay():
    window, ledger, _ = stand(budget=2)
    ledger.closed[2] = True
    window.ask("labels", X[:1].expand(9, 1, 2), EVERY[:1])
    assert window.ask("labels", X[:1], EVERY[:1]).tolist() == [NO_ANSWER]
    window.ask("labels", X.expand(9, 3, 2), EVERY)
    with pytest.raises(OutOfQueries):
        window.ask("labels", X, EVERY)
    assert ledger.queries.tolist() == [2, 2, 0]
    assert window.box.module.rows == 4


def test_no_rows_are_answered_with_nothing():
    window, ledger, seen = stand()
    none = EVERY[:0]
    assert window.ask("labels", X[:0], none).shape == (0,)
    assert window.ask("scores", X[:0].expand(4, 0, 2), none).shape == (4, 0, 2)
    assert int(ledger.queries.sum()) == ledger.calls == len(seen) == 0


@pytest.mark.parametrize("rows", [[0, 0], [1, 0, 1], [2, 2, 2]])
def test_no_row_stands_twice_in_a_question(rows):
    """Nor does it when there are as many entries as rows: it could pass its budget."""
    for n in (3, len(rows)):
        window, ledger, _ = stand(n=max(n, max(rows) + 1), budget=1)
        with pytest.raises(BadQuestion, match="twice"):
            window.ask("labels", torch.zeros(len(rows), 2), torch.tensor(rows))
        assert not ledger.queries.any()


@pytest.mark.parametrize("shape", [(2, 2), (4, 2), (3, 5, 2), (2,)])
def test_other_numbers_of_rows_are_refused(shape):
    window, ledger, _ = stand()
    with pytest.raises(BadQuestion):
        window.ask("labels", torch.zeros(shape), EVERY)
    assert not ledger.queries.any()


def test_endless_loops_end(monkeypatch):
    monkeypatch.setattr(window_module, "IDLE_LIMIT", 50)
    window, ledger, _ = stand()
    ledger.closed[0] = True
    window.ask("labels", X, EVERY)

    def wait():
        for _ in range(52):
            window.ask("labels", X[:1], EVERY[:1])

    with pytest.raises(RuntimeError, match="could not pay"):
        wait()


def test_the_clock():
    window = Window(identity_box(), Ledger(3), deadline=0.0)
    with pytest.raises(OutOfTime):
        window.ask("labels", X, EVERY)
    assert not window.ledger.queries.any()


@pytest.mark.parametrize("kind", ["labels", "scores", "logits"])
def test_rows_with_unusable_answers_are_marked(kind):
    window, ledger, _ = stand(module=Formula(lambda x: x.masked_fill(x > 2.5, torch.nan)))
    window.ask(kind, X.expand(2, 3, 2), EVERY)
    assert ledger.invalid.tolist() == [False, True, False]


def test_rows_without_answer_are_not_marked():
    window, ledger, _ = stand(budget=1)
    window.ask("scores", X[:2].expand(3, 2, 2), EVERY[:2])
    assert not ledger.invalid.any()


def test_sets_pay_like_other_rows():
    def sums(values, lengths):
        owner = torch.arange(len(lengths)).repeat_interleave(lengths)
        total = values.new_zeros(len(lengths)).index_add(0, owner, values[:, 0])
        return torch.stack([total, -total], 1)

    class Sums(nn.Module):
        def forward(self, values, lengths):
            return sums(values, lengths)

    spec = Spec(input=Points(features=1), answer=OneClass(size=2))
    ledger = Ledger(3, 1)
    ledger.closed[1] = True
    window = Window(TorchBox(module=Sums(), spec=spec), ledger)
    values = torch.tensor([[1.0], [9.0], [9.0], [-1.0], [-2.0]])
    rows = Ragged(values, torch.tensor([1, 2, 2]))
    assert window.ask("labels", rows, EVERY).tolist() == [0, NO_ANSWER, 1]


# --- gradients


def net():
    module = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2))
    with torch.no_grad():
        for i, weight in enumerate(module.parameters()):
            weight.copy_(torch.linspace(-1, 1, weight.numel()).reshape(weight.shape) + 0.1 * i)
    return module


def gradient_of(ask, x):
    z = x.clone().requires_grad_()
    return torch.autograd.grad(ask(z).logsumexp(-1).nansum(), z)[0]


def test_each_backward_is_a_gradient():
    window, ledger, _ = stand(module=net())
    view = GradView(window, EVERY)
    gradient_of(view.logits, X)
    assert ledger.gradients.tolist() == [1, 1, 1]
    gradient_of(view[EVERY[:1]].logits, X[:1].expand(5, 1, 2))
    assert ledger.gradients.tolist() == [6, 1, 1]
    z = X.clone().requires_grad_()
    out = view.logits(z)
    for c in range(2):
        torch.autograd.grad(out[:, c].sum(), z, retain_graph=True)
    assert ledger.gradients.tolist() == [8, 3, 3]
    assert ledger.queries.tolist() == [7, 2, 2]
    view.logits(X)
    view.scores(z)
    view.labels(z)
    assert ledger.gradients.tolist() == [8, 3, 3]


def test_second_derivatives_are_gradients_too():
    """Of a loss linear in the logits, the second pass never comes by the outputs."""
    window, ledger, _ = stand(module=net())
    z = X.clone().requires_grad_()
    out = GradView(window, EVERY).logits(z)
    (first,) = torch.autograd.grad(out[:, 0].sum(), z, create_graph=True)
    assert ledger.gradients.tolist() == [1, 1, 1]
    torch.autograd.grad(first.square().sum(), z)
    assert ledger.gradients.tolist() == [2, 2, 2]


def test_a_pass_to_the_weights_hides_no_second_derivative():
    window, ledger, _ = stand(module=net())
    z = X.clone().requires_grad_()
    out = GradView(window, EVERY).logits(z)
    (first,) = torch.autograd.grad(out[:, 0].sum(), z, create_graph=True)
    weights = list(window.network().parameters())
    torch.autograd.grad(out[:, 1].sum(), weights, retain_graph=True)
    assert ledger.gradients.tolist() == [2, 2, 2]
    torch.autograd.grad(first.square().sum(), z)
    assert ledger.gradients.tolist() == [3, 3, 3]


def test_rows_without_answer_have_no_gradient_and_leak_none():
    window, ledger, _ = stand(module=net(), budget=1)
    ledger.closed[1] = True
    free = vector_box(net(), pad=1)
    got = gradient_of(GradView(window, EVERY).logits, X)
    assert ledger.gradients.tolist() == [1, 0, 1]
    torch.testing.assert_close(got[[0, 2]], gradient_of(free.logits, X)[[0, 2]])
    assert got[1].tolist() == [0.0, 0.0]


def test_a_sum_over_no_answers_spoils_no_gradient():
    """Even where the loss of an unanswered row is NaN."""
    window, ledger, _ = stand(module=net())
    ledger.closed[1] = True
    z = X.clone().requires_grad_()
    loss = GradView(window, EVERY).logits(z).logsumexp(-1)
    assert loss.isnan().tolist() == [False, True, False]
    (got,) = torch.autograd.grad(loss.sum(), z)
    torch.testing.assert_close(got[[0, 2]], gradient_of(vector_box(net(), pad=1).logits, X)[[0, 2]])
    assert not got[1].any()


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")  # torch's own
@pytest.mark.parametrize("kind", ["labels", "scores", "logits"])
@pytest.mark.parametrize("transform", ["vmap", "jacrev", "grad", "jvp", "jacfwd"])
def test_function_transforms_are_refused(kind, transform):
    window, ledger, _ = stand(module=net())

    def ask(x):
        return window.ask(kind, x, EVERY)

    def total(x):
        return ask(x).float().sum()

    transforms = {
        "vmap": lambda: torch.vmap(ask)(X.expand(4, 3, 2)),
        "jacrev": lambda: torch.func.jacrev(ask)(X),
        "grad": lambda: torch.func.grad(total)(X),
        "jvp": lambda: torch.func.jvp(ask, (X,), (X,)),
        "jacfwd": lambda: torch.func.jacfwd(ask)(X),
    }
    with pytest.raises(UserError, match="cannot be counted"):
        transforms[transform]()
    assert window.box.module.rows == 0
    assert not ledger.queries.any()


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")  # torch's own
def test_forward_mode_is_refused():
    window, _, _ = stand(module=net())
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(X, torch.ones_like(X))
        with pytest.raises(UserError, match="cannot be counted"):
            window.ask("logits", dual, EVERY)


def test_batched_gradients_are_refused():
    window, _, _ = stand(module=net())
    z = X.clone().requires_grad_()
    out = window.ask("logits", z, EVERY)
    with pytest.raises(UserError, match="cannot be counted"):
        torch.autograd.grad(out, z, torch.ones(4, 3, 2), is_grads_batched=True)

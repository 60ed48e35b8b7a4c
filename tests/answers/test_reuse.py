"""Windows with a store: bought once, never mixed up, and every request in the books."""

import subprocess
import sys

import pytest
import torch
from tests.subjects import Counting, Formula, integer_rows, vector_box
from torch import nn

from pellucid.answers import Answers, BudgetSpent
from pellucid.box.torch_box import TorchBox
from pellucid.box.window import Window
from pellucid.errors import UserError
from pellucid.ledger import Ledger
from pellucid.spec import INVALID, Image, LabelSet, Spec

KINDS = ["labels", "scores", "logits"]


def linear(scale=1.0, dtype=torch.float32):
    module = nn.Linear(4, 3, dtype=dtype)
    with torch.no_grad():
        module.weight.copy_(scale * torch.linspace(-1, 1, 12).reshape(3, 4))
        module.bias.copy_(torch.tensor([0.1, -0.2, 0.05]))
    return module


def asked(kind, x, answers, module=None, **facts):
    """The answer, and how many rows were bought and seen by the model."""
    box = vector_box(Counting(module or linear()), d=4, classes=3, pad=1, **facts)
    window = Window(box, Ledger(len(x)), answers=answers)
    got = window.ask(kind, x, None)
    assert int(window.ledger.paid.sum()) == box.module.rows
    assert int(window.ledger.queries.sum()) == len(x)
    assert window.ledger.calls == box.module.passes
    return got, box.module.rows


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_bought_once_and_come_back_bit_for_bit(kind, dtype):
    x, store = integer_rows(5, 4).to(dtype), Answers()
    free, _ = asked(kind, x, None, linear(dtype=dtype))
    first, bought = asked(kind, x, store, linear(dtype=dtype))
    again, then = asked(kind, x.flip(0), store, linear(dtype=dtype))
    assert (bought, then) == (5, 0)
    assert first.dtype == again.dtype == free.dtype
    assert torch.equal(first, free)
    assert torch.equal(again.flip(0), free)


@pytest.mark.parametrize("kind", ["labels", "scores"])
def test_duplicates_within_one_question_are_bought_once(kind):
    x = integer_rows(3, 4)[torch.tensor([0, 1, 0, 0, 2])]
    got, bought = asked(kind, x, Answers())
    assert bought == 3
    assert torch.equal(got[0], got[2])


def test_purchases_are_cut_to_calls():
    x = integer_rows(7, 4)
    got, bought = asked("scores", x, Answers(), rows_per_call=3)
    assert bought == 7
    torch.testing.assert_close(got, asked("scores", x, None)[0])


def test_models_kinds_and_uses_are_kept_apart():
    x, store = integer_rows(4, 4), Answers()
    free = [asked("scores", x, None, linear(s))[0] for s in (1.0, 2.0)]
    for scale, expected in zip((1.0, 2.0), free, strict=True):
        got, bought = asked("scores", x, store, linear(scale))
        assert bought == 4
        assert torch.equal(got, expected)
    assert asked("labels", x, store)[1] == 4
    probabilities = nn.Sequential(linear(), nn.Softmax(-1))
    assert asked("scores", x, store, probabilities, emits="probabilities")[1] == 4
    assert asked("scores", x, store, probabilities, emits="logits")[1] == 4


def test_how_rows_are_cut_does_not_change_the_model():
    x, store = integer_rows(4, 4), Answers()
    assert asked("labels", x, store, rows_per_call=1000)[1] == 4
    assert asked("labels", x, store, rows_per_call=2)[1] == 0


def test_labels_of_sets_and_invalid_answers_come_back():
    spec = Spec(input=Image(shape=(1, 1, 2), low=-9.0, high=9.0), answer=LabelSet(size=2))
    module = Formula(lambda x: torch.where(x.flatten(1) > 5, torch.nan, x.flatten(1)))
    x, store = torch.tensor([[1.0, -1.0], [6.0, 1.0]]).reshape(2, 1, 1, 2), Answers()
    for _ in range(2):
        window = Window(TorchBox(module=module, spec=spec), Ledger(2), answers=store)
        assert window.ask("labels", x, None).tolist() == [[1, 0], [INVALID, INVALID]]
        assert window.ledger.invalid.tolist() == [False, True]


def test_an_answer_that_nobody_can_pay_is_no_answer():
    x, ledger = integer_rows(2, 4), Ledger(2, 5)
    ledger.closed[0] = True
    window = Window(vector_box(linear(), d=4, classes=3), ledger, answers=Answers())
    for kind in ("labels", "scores"):
        got = window.ask(kind, x[:1], torch.tensor([0]))
        assert got.shape[0] == 1
        assert not (got >= 0).any()
    assert ledger.paid.tolist() == [0, 0]


def test_a_box_without_fingerprint_cannot_store():
    class Nameless:
        spec = vector_box(linear(), d=4, classes=3).spec

        def __getitem__(self, _rows):
            return self

    with pytest.raises(UserError, match="no fingerprint"):
        Window(Nameless(), Ledger(1), answers=Answers())


def test_answers_of_another_run_are_not_bought_again(place):
    x = integer_rows(5, 4)
    with Answers(place, purse="one") as store:
        first, bought = asked("scores", x, store)
    with Answers(place, purse="other") as store:
        again, then = asked("scores", x, store)
        assert (store.bought, len(store)) == (0, 5)
    assert (bought, then) == (5, 0)
    assert torch.equal(first, again)


def test_every_purchase_of_a_window_is_booked(place):
    with Answers(place) as store:
        x = integer_rows(7, 4)
        asked("scores", x, store, rows_per_call=3)
        asked("scores", x, store, rows_per_call=3)
        asked("labels", x[:2], store)
        assert (store.sent, store.bought, store.lost, len(store)) == (0, 9, 0, 9)


def test_a_purchase_that_fails_is_lost_and_the_ones_before_it_are_kept(place):
    def answer(x):
        if len(x) == 1:
            raise ConnectionError("the line broke")
        return linear()(x)

    x = integer_rows(7, 4)
    box = vector_box(Formula(answer), d=4, classes=3, pad=1, rows_per_call=3)
    with Answers(place) as store:
        with pytest.raises(ConnectionError):
            Window(box, Ledger(7), answers=store).ask("scores", x, None)
        assert (store.sent, store.bought, store.lost, len(store)) == (0, 6, 1, 6)


def test_what_would_pass_the_budget_of_the_store_is_not_asked(place):
    module, x = Counting(linear()), integer_rows(7, 4)
    box = vector_box(module, d=4, classes=3, pad=1, rows_per_call=3)
    with Answers(place, budget=8) as store:
        Window(box, Ledger(3), answers=store).ask("scores", x[:3], None)
        with pytest.raises(BudgetSpent, match="budget of 8"):
            Window(box, Ledger(7), answers=store).ask("labels", x, None)
        assert module.rows == store.bought == 6
    with Answers(place, budget=10) as store:
        Window(box, Ledger(7), answers=store).ask("labels", x, None)
        assert module.rows == store.bought == 10


def test_listing_the_systems_does_not_load_the_database():
    script = "import sys; import pellucid.ledger, pellucid.cli.main; print(*sys.modules)"
    listed = subprocess.check_output([sys.executable, "-c", script], text=True).split()
    assert "pellucid.ledger" in listed
    assert "sqlalchemy" not in listed

"""The store of answers: bought once, kept for good, never mixed up, and every request booked."""

import os
import signal
import sqlite3
import subprocess
import sys

import pytest
import torch
from tests.subjects import Counting, Formula, integer_rows, vector_box
from torch import nn

from pellucid.answers import Answers, StoreFailed
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


def test_answers_outlive_their_object(tmp_path):
    x, path = integer_rows(5, 4), tmp_path / "answers"
    with Answers(path) as store:
        first, bought = asked("scores", x, store)
    assert bought == 5
    with Answers(path) as store:
        assert len(store) == 5
        again, then = asked("scores", x, store)
    assert then == 0
    assert torch.equal(first, again)


def test_answers_outlive_their_process(tmp_path):
    """A process that dies without closing the store has lost nothing that it saw."""
    path = tmp_path / "answers"
    script = (
        "import os, sys; from pellucid.answers import Answers; "
        "Answers(sys.argv[1]).put({b'k': b'v'}); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", script, path], check=False).returncode == 9
    with Answers(path) as store:
        assert store.get([b"k", b"other"]) == {b"k": b"v"}


def test_many_keys_at_once():
    store = Answers()
    every = {i.to_bytes(4, "big"): b"%d" % i for i in range(2500)}
    store.put(every)
    assert store.get(list(every)) == every


def test_the_first_answer_stays():
    store = Answers()
    store.put({b"k": b"first"})
    store.put({b"k": b"second"})
    assert store.get([b"k"]) == {b"k": b"first"}


def test_a_file_that_is_no_store_is_named(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("this is no store of answers, but a text. " * 50)
    with pytest.raises(UserError, match=r"notes\.txt"):
        Answers(path)
    with pytest.raises(UserError, match="cannot be kept"):
        Answers(tmp_path / "missing" / "answers")
    assert path.read_text().startswith("this is no store")


def test_another_database_is_left_as_it_was(tmp_path):
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE answers (question TEXT)")
    other.commit()
    other.close()
    with pytest.raises(UserError, match=r"other\.db"):
        Answers(path)


def test_a_box_without_fingerprint_cannot_store():
    class Nameless:
        spec = vector_box(linear(), d=4, classes=3).spec

        def __getitem__(self, _rows):
            return self

    with pytest.raises(UserError, match="no fingerprint"):
        Window(Nameless(), Ledger(1), answers=Answers())


def test_a_request_is_lost_until_it_is_answered():
    store = Answers()
    assert (store.bought, store.lost) == (0, 0)
    first, second = store.reserve(2), store.reserve(3)
    assert (store.bought, store.lost) == (0, 5)
    store.put({b"a": b"1", b"b": b"2"}, first)
    assert (store.bought, store.lost) == (2, 3)
    store.put(dict.fromkeys((b"a", b"c", b"d"), b"3"), second)
    assert (store.bought, store.lost, len(store)) == (5, 0, 4)
    store.put({b"e": b"4"})
    assert (store.bought, store.lost) == (6, 0)


def test_every_purchase_of_a_window_is_booked():
    x, store = integer_rows(7, 4), Answers()
    asked("scores", x, store, rows_per_call=3)
    asked("scores", x, store, rows_per_call=3)
    asked("labels", x[:2], store)
    assert (store.bought, store.lost, len(store)) == (9, 0, 9)


def test_a_purchase_that_fails_is_lost_and_the_ones_before_it_are_kept():
    def answer(x):
        if len(x) == 1:
            raise ConnectionError("the line broke")
        return linear()(x)

    x, store = integer_rows(7, 4), Answers()
    box = vector_box(Formula(answer), d=4, classes=3, pad=1, rows_per_call=3)
    with pytest.raises(ConnectionError):
        Window(box, Ledger(7), answers=store).ask("scores", x, None)
    assert (store.bought, store.lost, len(store)) == (6, 1, 6)


BUYER = """
import os, signal, sys
from pellucid.answers import Answers
store = Answers(sys.argv[1])
store.put({b"k": b"v"}, store.reserve(1))
store.reserve(20)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_in_flight_at_a_kill_is_found_lost(tmp_path):
    path = tmp_path / "answers"
    killed = subprocess.run([sys.executable, "-c", BUYER, path], check=False)
    assert killed.returncode == -signal.SIGKILL
    with Answers(path) as store:
        assert store.get([b"k"]) == {b"k": b"v"}
        assert (store.bought, store.lost) == (1, 20)
        store.put({b"l": b"w"}, store.reserve(1))
    with Answers(path) as store:
        assert (store.bought, store.lost) == (2, 20)


def test_two_programs_share_a_store(tmp_path):
    with Answers(tmp_path / "answers") as one, Answers(tmp_path / "answers") as other:
        request = one.reserve(1)
        assert other.lost == 1
        other.put({b"b": b"2"}, other.reserve(1))
        one.put({b"a": b"1"}, request)
        for store in (one, other):
            assert store.get([b"a", b"b"]) == {b"a": b"1", b"b": b"2"}
            assert (store.bought, store.lost) == (2, 0)


def test_a_store_of_answers_alone_gets_books(tmp_path):
    """As the versions before requests were booked have left them."""
    path = tmp_path / "answers"
    with Answers(path) as store:
        store.put({b"k": b"v"})
    with sqlite3.connect(path) as old:
        old.execute("DROP TABLE requests")
    old.close()
    with Answers(path) as store:
        assert store.get([b"k"]) == {b"k": b"v"}
        store.put({b"l": b"w"}, store.reserve(1))
        assert (store.bought, store.lost) == (1, 0)


def test_a_store_that_can_grow_no_more_is_a_sentence_and_loses_nothing(tmp_path):
    path = tmp_path / "answers"
    with Answers(path) as store:
        store.put({b"k": b"v"})
        store._connection.exec_driver_sql("PRAGMA max_page_count = 1")
        store._connection.commit()
        with pytest.raises(StoreFailed, match="full") as caught:
            store.put({os.urandom(16): bytes(1000) for _ in range(1000)})
        assert caught.value.exit_code == 3
        assert store.get([b"k"]) == {b"k": b"v"}
    with Answers(path) as store:
        assert len(store) == 1


def test_a_broken_store_is_named(tmp_path):
    path = tmp_path / "answers"
    with Answers(path) as store:
        store.put({os.urandom(16): bytes(100) for _ in range(1000)})
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(UserError, match="answers"), Answers(path) as store:
        store.get([b"k"])


def test_listing_the_systems_does_not_load_the_database():
    script = "import sys; import pellucid.ledger, pellucid.cli.main; print(*sys.modules)"
    listed = subprocess.check_output([sys.executable, "-c", script], text=True).split()
    assert "pellucid.ledger" in listed
    assert "sqlalchemy" not in listed

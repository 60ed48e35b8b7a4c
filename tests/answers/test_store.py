"""The store on both databases: kept for good, every request booked, no budget passed."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier

import pytest

from pellucid.answers import Answers, BadStore, BudgetSpent
from pellucid.answers.schema import MIGRATIONS, VERSION

NAMES = [
    "'; DROP TABLE answers; --",
    '"purses"',
    "%s %(purse)s :purse ?",
    "\\x00 ' \u2028 \U0001f600",
]


def books(store):
    return store.sent, store.bought, store.lost


def python(script, *arguments):
    """A process that runs this."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_answers_and_books_outlive_their_object(place):
    with Answers(place) as store:
        assert books(store) == (0, 0, 0)
        store.put({b"a": b"1", b"\x00": b""}, store.reserve(2))
    with Answers(place) as store:
        assert store.get([b"a", b"\x00", b"other"]) == {b"a": b"1", b"\x00": b""}
        assert (books(store), len(store)) == ((0, 2, 0), 2)


def test_many_keys_at_once(place):
    with Answers(place) as store:
        every = {i.to_bytes(4, "big"): b"%d" % i for i in range(2500)}
        store.put(every)
        assert store.get(list(every)) == every
        assert store.get([]) == {}


def test_the_first_answer_stays(place):
    with Answers(place) as store:
        store.put({b"k": b"first"})
        store.put({b"j": b"other", b"k": b"second"})
        assert store.get([b"k", b"j"]) == {b"k": b"first", b"j": b"other"}


def test_a_request_is_sent_and_then_answered_or_lost(place):
    with Answers(place) as store:
        first, second, third = store.reserve(2), store.reserve(3), store.reserve(4)
        assert books(store) == (9, 0, 0)
        store.put({b"a": b"1", b"b": b"2"}, first)
        assert books(store) == (7, 2, 0)
        store.lose(first, second)
        assert books(store) == (4, 2, 3)
        store.put({b"c": b"3"}, second)  # too late for the books, and yet an answer
        assert (books(store), store.get([b"c"])) == ((4, 2, 3), {b"c": b"3"})
        store.put(dict.fromkeys((b"d", b"e", b"f", b"g"), b"4"), third)
        store.put({b"h": b"5"})
        assert (books(store), len(store)) == ((0, 7, 3), 8)


def test_stores_of_one_process_share_answers_and_books(place):
    with Answers(place) as one, Answers(place) as other:
        request = one.reserve(1)
        other.put({b"b": b"2"}, other.reserve(1))
        assert books(other) == (1, 1, 0)
        one.put({b"a": b"1"}, request)
        for store in (one, other):
            assert store.get([b"a", b"b"]) == {b"a": b"1", b"b": b"2"}
            assert books(store) == (0, 2, 0)


def test_what_lives_is_not_lost_and_what_is_closed_is(place):
    with Answers(place) as one:
        one.reserve(5)
        with Answers(place) as other:
            assert books(other) == (5, 0, 0)
    with Answers(place) as store:
        assert books(store) == (0, 0, 5)


BUYER = """
import os, signal, sys
from pellucid.answers import Answers
store = Answers(sys.argv[1])
store.put({b"k": b"v"}, store.reserve(1))
store.reserve(20)
print("sent", flush=True)
sys.stdin.readline()
"""


def test_what_was_in_flight_at_a_kill_is_lost_and_not_before(place):
    with python(BUYER, place) as buyer:
        try:
            assert buyer.stdout.readline() == "sent\n"
            with Answers(place) as store:
                assert books(store) == (20, 1, 0)
        finally:
            buyer.kill()
    assert buyer.returncode == -signal.SIGKILL
    with Answers(place) as store:
        assert store.get([b"k"]) == {b"k": b"v"}
        assert books(store) == (0, 1, 20)
        store.put({b"l": b"w"}, store.reserve(1))
    with Answers(place) as store:
        assert books(store) == (0, 2, 20)


def test_a_budget_is_of_what_is_sent_and_answered(place):
    with Answers(place, budget=5) as store:
        request = store.reserve(3)
        with pytest.raises(BudgetSpent, match=r"budget of 5.*3 more \(0 are answered, 3 on"):
            store.reserve(3)
        store.lose(request)
        store.put({b"a": b"1"}, store.reserve(5))
        with pytest.raises(BudgetSpent) as caught:
            store.reserve(1)
        assert caught.value.exit_code == 3
        assert books(store) == (0, 5, 3)
        store.reserve(0)
    with Answers(place, budget=6) as store:
        store.reserve(1)


@pytest.mark.parametrize("name", NAMES)
def test_purses_are_apart_whatever_they_are_called(place, name):
    with Answers(place, purse=name, budget=2) as one, Answers(place, budget=2) as other:
        one.put({b"a": b"1"}, one.reserve(2))
        other.reserve(1)
        assert (books(one), books(other)) == ((0, 2, 0), (1, 0, 0))
        assert other.get([b"a", name.encode()]) == {b"a": b"1"}
    with Answers(place, purse=name) as store:
        assert (books(store), len(store)) == ((0, 2, 0), 1)


HAMMER = """
import random, sys
from pellucid.answers import Answers, BudgetSpent
seed, granted, keys = sys.argv[2], 1, random.Random(sys.argv[2])
store = Answers(sys.argv[1], budget=300)
store.put({b"first": b"1"})  # whoever is slower later has had its part
print("ready", flush=True)
sys.stdin.readline()
try:
    while True:
        rows = keys.randrange(1, 4)
        request = store.reserve(rows)
        if keys.random() < 0.2:
            store.lose(request)
        else:
            granted += rows
            store.put({b"%d" % keys.randrange(50): seed.encode() for _ in range(rows)}, request)
        assert store.bought + store.sent <= 300  # in this order: sent ones become bought
except BudgetSpent:
    print(granted)
"""


@pytest.mark.slow
def test_programs_on_one_budget_never_pass_it(place):
    hammers = [python(HAMMER, place, seed) for seed in range(2)]
    for hammer in hammers:
        assert hammer.stdout.readline() == "ready\n"
    for hammer in hammers:
        hammer.stdin.write("go\n")
        hammer.stdin.flush()
    granted = [int(hammer.communicate(timeout=60)[0]) for hammer in hammers]
    with Answers(place) as store:
        assert store.bought == sum(granted) <= 300
        assert store.bought > 300 - 3
        assert store.sent == 0
        assert store.lost > 0


def test_a_new_store_that_is_opened_from_many_sides_at_once_is_one(place):
    start = Barrier(8)

    def work(number):
        start.wait()
        with Answers(place) as store:
            store.put({b"%d" % number: b"1"})

    with ThreadPoolExecutor(start.parties) as pool:
        list(pool.map(work, range(start.parties)))
    with Answers(place) as store:
        assert (store.bought, len(store)) == (start.parties, start.parties)


@contextmanager
def next_version(monkeypatch, *statements):
    """As if this version's schema were the next, to which these statements lead."""
    with monkeypatch.context() as patch:
        patch.setattr("pellucid.answers.schema.VERSION", VERSION + 1)
        patch.setitem(MIGRATIONS, VERSION, statements)
        yield


def test_an_older_schema_is_migrated_and_a_newer_one_refused(place, monkeypatch):
    with Answers(place) as store:
        store.put({b"k": b"v"})
    with next_version(monkeypatch, "ALTER TABLE answers ADD COLUMN note VARCHAR"):
        for _ in range(2):
            with Answers(place) as store:
                assert store.get([b"k"]) == {b"k": b"v"}
    with pytest.raises(BadStore, match=rf"newer Pellucid \(schema {VERSION + 1}, this one reads"):
        Answers(place)


def test_a_migration_that_fails_changes_nothing(place, monkeypatch):
    with Answers(place) as store:
        store.put({b"k": b"v"})
    statements = ("DELETE FROM answers", "ALTER TABLE nothing ADD COLUMN note VARCHAR")
    with next_version(monkeypatch, *statements), pytest.raises(BadStore, match="nothing"):
        Answers(place)
    with Answers(place) as store:
        assert (store.get([b"k"]), books(store)) == ({b"k": b"v"}, (0, 1, 0))

"""Calls side by side: in order, never too many, and nothing that was paid for is thrown away."""

import signal
import threading
import time
from itertools import count

import pytest

from pellucid.box.resending import booked_by, booking, resent, unbooked
from pellucid.box.side_by_side import Collected, side_by_side


class Clerk:
    """Writes down what it is told, and sees that only one thread tells it."""

    def __init__(self):
        self.kept, self.sent_again, self.dropped = {}, [], []
        self.thread = threading.get_ident()

    def keep(self, part, answer):
        assert threading.get_ident() == self.thread
        self.kept[part] = answer

    def again(self, part, rows):
        assert threading.get_ident() == self.thread
        self.sent_again.append((part, rows))

    def drop(self, part):
        assert threading.get_ident() == self.thread
        self.dropped.append(part)


@pytest.mark.parametrize("at_once", [1, 3, 20])
def test_each_part_is_answered_and_no_more_are_under_way_than_may_be(at_once):
    lock, under_way, most, drawn = threading.Lock(), 0, 0, []

    def ask(part):
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        assert part in drawn
        time.sleep(0.01 * (part % 3))  # they end in another order
        with lock:
            under_way -= 1
        return part * part

    def parts():
        for part in range(10):
            drawn.append(part)
            yield part

    found = Collected()
    side_by_side(ask, parts(), found, at_once=at_once)
    assert found.in_order() == [part * part for part in range(10)]
    assert most <= at_once
    assert (most > 1) == (at_once > 1)


def test_as_many_are_under_way_as_may_be():
    meeting = threading.Barrier(8, timeout=20)  # nobody goes on before all have come
    side_by_side(lambda _: meeting.wait(), iter(range(16)), Collected(), at_once=8)


@pytest.mark.parametrize("at_once", [1, 4])
def test_after_a_failure_nothing_is_begun_and_what_is_under_way_is_kept(at_once):
    clerk, drawn = Clerk(), count()
    begun = threading.Barrier(at_once)

    def ask(part):
        if part < at_once:
            begun.wait(5)
        if part == 0:
            raise ValueError("part 0")
        time.sleep(0.3)
        return part

    with pytest.raises(ValueError, match="part 0"):
        side_by_side(ask, drawn, clerk, at_once=at_once)
    assert next(drawn) == at_once
    assert clerk.dropped == [0]
    assert set(clerk.kept) == set(range(1, at_once))


@pytest.mark.parametrize("at_once", [1, 4])
def test_what_is_sent_again_is_told_before_it_is(at_once):
    clerk = Clerk()

    def ask(part):
        resent(7)
        assert (part, 7) in clerk.sent_again
        return part

    side_by_side(ask, iter(range(6)), clerk, at_once=at_once)
    assert sorted(clerk.sent_again) == [(part, 7) for part in range(6)]
    assert booked_by() is unbooked


def test_a_call_within_a_call_tells_the_books_above():
    told = []

    def inner(_):
        resent(3)

    with booking(told.append):
        side_by_side(inner, iter(range(2)), Collected(), at_once=2)
        side_by_side(inner, iter(range(2)), Collected(), at_once=1)
    assert told == [3] * 4


def test_nothing_is_sent_again_once_another_part_has_failed():
    clerk, failed = Clerk(), threading.Event()

    def ask(part):
        if part == 0:
            failed.set()
            raise ValueError("part 0")
        assert failed.wait(5)
        time.sleep(0.1)
        resent(1)
        raise AssertionError("it was sent again")

    with pytest.raises(ValueError, match="part 0"):
        side_by_side(ask, iter(range(3)), clerk, at_once=3)
    assert clerk.sent_again == []
    assert sorted(clerk.dropped) == [0, 1, 2]


@pytest.mark.parametrize("at_once", [1, 3])
@pytest.mark.parametrize("where", ["keep", "again"])
def test_books_that_fail_end_it(at_once, where):
    class Full(Clerk):
        pass

    def fail(*_):
        raise OSError("full")

    setattr(Full, where, fail)

    def ask(part):
        resent(1)
        return part

    before = threading.active_count()
    with pytest.raises(OSError, match="full"):
        side_by_side(ask, iter(range(9)), Full(), at_once=at_once)
    assert threading.active_count() <= before


@pytest.mark.parametrize("at_once", [1, 3])
def test_parts_that_cannot_be_drawn_end_it(at_once):
    clerk = Clerk()

    def parts():
        yield 0
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        side_by_side(lambda part: part, parts(), clerk, at_once=at_once)
    assert clerk.kept == {0: 0}


def test_ctrl_c_keeps_what_is_under_way():
    clerk = Clerk()

    class Stopped(Clerk):
        def keep(self, part, answer):
            super().keep(part, answer)
            if part == 0:
                raise KeyboardInterrupt

    clerk = Stopped()

    def ask(part):
        time.sleep(0.02 if part == 0 else 0.1)
        return part

    with pytest.raises(KeyboardInterrupt):
        side_by_side(ask, iter(range(100)), clerk, at_once=3)
    assert set(clerk.kept) == {0, 1, 2}


def test_ctrl_c_while_all_wait_keeps_what_is_under_way_and_sends_nothing_again():
    clerk, asked = Clerk(), []

    def ask(part):
        asked.append(part)
        time.sleep(0.5)
        if part == 1:
            resent(1)
        return part

    presses = threading.Timer(0.2, signal.raise_signal, [signal.SIGINT])
    presses.start()
    with pytest.raises(KeyboardInterrupt):
        side_by_side(ask, iter(range(100)), clerk, at_once=3)
    presses.join()
    assert asked == [0, 1, 2]
    assert set(clerk.kept) == {0, 2}
    assert (clerk.sent_again, clerk.dropped) == ([], [1])

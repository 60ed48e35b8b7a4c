"""Who is told of a run, and how often."""

import io
import sys
import time

import pytest

from pellucid.progress import Progress, listening


def at(share):
    return Progress(title="PGD", share=share, note="3 of 9 found")


def test_functions_are_called_seldom_but_always_at_the_end():
    told = []
    with listening(told.append) as listener:
        for share in (0.1, 0.2, 0.3, 1.0):
            listener(at(share))
        assert [p.share for p in told] == [0.1, 1.0]
        time.sleep(0.12)
        listener(at(0.4))
    assert told[-1] == at(0.4)


@pytest.mark.parametrize("choice", [False, None])
def test_nobody_is_told(choice, capsys):
    with listening(choice) as listener:
        assert listener is None
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_standard_error(capsys):
    with listening(True) as listener:
        listener(at(1.0))
    out, err = capsys.readouterr()
    assert out == ""
    assert "PGD" in err
    assert "100%" in err
    assert "3 of 9 found" in err


def test_a_terminal_gets_a_bar(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    with listening(None) as listener:
        assert listener is not None

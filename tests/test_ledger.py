"""The books: what is left to each row, and what spenders share."""

import torch

from pellucid.ledger import UNLIMITED, Ledger


def test_left():
    ledger = Ledger(3, 5)
    ledger.queries[:] = torch.tensor([0, 5, 2])
    ledger.closed[2] = True
    assert ledger.left().tolist() == [5, 0, 0]
    assert Ledger(2).left().tolist() == [UNLIMITED, UNLIMITED]


def test_spenders_share_what_is_closed():
    first = Ledger(2, 5)
    second = Ledger(2, closed=first.closed)
    first.closed[1] = True
    assert second.left().tolist() == [UNLIMITED, 0]

"""The contract of selectors: what each must keep, whatever it picks.

A plug-in author runs it over instances of a selector:

    @pytest.mark.parametrize("check", SELECTOR_CHECKS, ids=lambda check: check.__name__)
    def test_contract(check):
        check(MySelector())

A check raises AssertionError with a sentence that says what is wrong.
"""

import torch
from torch import Generator

from pellucid.attack.online.picking import Chosen, Picking, Values, pick
from pellucid.attack.online.ratios import indicator_ratio
from pellucid.attack.online.selector import Selector
from pellucid.testing.values import VALUE_CHECKS

ITEMS, PICKS = 40, (1, 3, 10)


def streams(count: int = 300) -> Values:
    """Items in random orders, each value once."""
    return torch.rand((count, ITEMS), generator=Generator().manual_seed(0)).argsort(1).double()


def check_looks_before_it_picks(method: Selector) -> None:
    """It says how many items it only looks at, and none of them is picked."""
    name = type(method).__name__
    for picks in PICKS:
        looks = method.looks(ITEMS, picks)
        assert 0 <= looks < ITEMS, f"{name} looks at {looks} of {ITEMS} items."
        assert not bool(_picked(method, picks)[:, :looks].any()), f"{name} picks while it looks."


def check_keeps_to_its_picks(method: Selector) -> None:
    """It never picks more than it may, and with `exhaust` exactly as many."""
    name = type(method).__name__
    for picks in PICKS:
        most = int(_picked(method, picks).sum(1).max())
        assert most <= picks, f"{name} picks {most} items where {picks} may be picked."
        counts = pick(method, streams(), picks, exhaust=True).sum(1)
        assert bool((counts == picks).all()), f"{name} does not pick {picks} items, as it must."


def check_knows_no_future(method: Selector) -> None:
    """What comes later changes no decision."""
    for picks in PICKS:
        whole, values = _picked(method, picks), streams()
        values[:, ITEMS // 2 :] = -values[:, ITEMS // 2 :]
        same = whole[:, : ITEMS // 2] == pick(method, values, picks)[:, : ITEMS // 2]
        assert bool(same.all()), f"{type(method).__name__} decides by items that are yet to come."


def check_streams_are_apart(method: Selector) -> None:
    """A stream by itself, number by number, is picked from as it is among others."""
    for picks in PICKS:
        together = _picked(method, picks)[:20]
        for chosen, stream in zip(together, streams(), strict=False):
            picking = Picking(method, items=ITEMS, picks=picks)
            alone = [picking.offer(value) for value in stream.tolist()]
            assert alone == chosen.tolist(), (
                f"{type(method).__name__} picks otherwise from a stream that is alone."
            )


def check_order_is_all_it_sees(method: Selector) -> None:
    """Only which of two numbers is larger matters; equal ones and NaN are never larger."""
    name = type(method).__name__
    for picks in PICKS:
        same = _picked(method, picks) == pick(method, (streams() / 7).exp() - 3, picks)
        assert bool(same.all()), f"{name} picks otherwise when values are put on another scale."
        for value in (1.0, torch.nan):
            flat = pick(method, torch.full((1, ITEMS), value), picks)
            assert not bool(flat.any()), f"{name} picks an item of {value} among others of it."


def check_beats_chance(method: Selector) -> None:
    """It picks more of the largest than one who picks at random."""
    for picks in PICKS:
        found = float(indicator_ratio(streams(), _picked(method, picks), picks).mean())
        assert found > picks / ITEMS + 0.05, (
            f"{type(method).__name__} picks {found:.1%} of the {picks} largest of {ITEMS} items."
        )


def _picked(method: Selector, picks: int) -> Chosen:
    return pick(method, streams(), picks)


SELECTOR_CHECKS = (
    *VALUE_CHECKS,
    check_looks_before_it_picks,
    check_keeps_to_its_picks,
    check_knows_no_future,
    check_streams_are_apart,
    check_order_is_all_it_sees,
    check_beats_chance,
)

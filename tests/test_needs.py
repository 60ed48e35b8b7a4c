"""What a signature asks for."""

from collections.abc import Sequence

import pytest

from pellucid.attack.evade.hop_skip_jump import HopSkipJump
from pellucid.attack.evade.pgd import PGD
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox, LabelBox, NoBox, ScoreBox
from pellucid.needs import needs


def method(call):
    """A method with this call."""
    return type("Method", (), {"ball": Ball(), "__call__": call})()


def test_boxes_and_parts_are_read():
    assert needs(PGD()).box is GradBox
    assert needs(PGD()).names == {"box", "goal", "x", "rng"}
    assert needs(HopSkipJump()).box is LabelBox
    assert needs(HopSkipJump()).surrogates is None
    assert "start" in needs(HopSkipJump()).names


def test_surrogates_have_a_kind_of_their_own():
    def call(self, box: NoBox, x, surrogates: Sequence[ScoreBox], data): ...

    wants = needs(method(call))
    assert (wants.box, wants.surrogates) == (NoBox, ScoreBox)
    assert wants.names == {"box", "x", "surrogates", "data"}


def strange(self, box: LabelBox, x, temperature): ...
def boxless(self, x, goal): ...
def bare(self, box, x): ...
def no_box(self, box: int, x): ...
def one_surrogate(self, box: NoBox, surrogates: ScoreBox): ...
def plain_list(self, box: NoBox, surrogates: list): ...
def list_of_boxes(self, box: NoBox, surrogates: list[ScoreBox]): ...
def no_boxes(self, box: NoBox, surrogates: Sequence[int]): ...


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (strange, "temperature"),
        (boxless, "must take a box"),
        (bare, "annotated"),
        (no_box, "annotated"),
        (one_surrogate, "Sequence"),
        (plain_list, "Sequence"),
        (list_of_boxes, "Sequence"),
        (no_boxes, "annotated"),
    ],
)
def test_calls_that_nobody_can_supply(call, text):
    with pytest.raises(TypeError, match=text):
        needs(method(call))

"""The ladder of access, and what stands on which rung."""

import itertools

import pytest
import torch
from tests.subjects import identity_box
from torch import nn

from pellucid.box.protocols import (
    GRANTS,
    LADDER,
    AccessDenied,
    GradBox,
    LabelBox,
    NoBox,
    demand,
    granted,
)
from pellucid.box.views import VIEWS, Direct
from pellucid.errors import UserError


def view(protocol):
    return VIEWS[protocol](Direct(identity_box()))


def test_a_torch_box_grants_everything():
    assert granted(identity_box()) is LADDER[-1]


@pytest.mark.parametrize("protocol", LADDER)
def test_views_stand_on_their_rung(protocol):
    assert granted(view(protocol)) is protocol
    for rung, other in enumerate(LADDER):
        assert isinstance(view(protocol), other) == (rung <= LADDER.index(protocol))


@pytest.mark.parametrize(("wanted", "given"), [*itertools.product(LADDER, LADDER)])
def test_demand(wanted, given):
    if LADDER.index(wanted) <= LADDER.index(given):
        demand("PGD", wanted, view(given))
        return
    with pytest.raises(AccessDenied, match=rf"^PGD needs a {wanted.__name__}.* {given.__name__}:"):
        demand("PGD", wanted, view(given))


def test_access_denied_is_a_user_error():
    with pytest.raises(UserError):
        demand("PGD", GradBox, view(LabelBox))


@pytest.mark.parametrize("thing", [nn.Linear(2, 2), torch.zeros(2), None, "model.onnx"])
def test_what_is_no_box_is_named(thing):
    with pytest.raises(AccessDenied, match=rf"{type(thing).__name__} is not a box"):
        granted(thing)


def test_grants_are_in_order():
    assert tuple(GRANTS.values()) == LADDER
    assert GRANTS["none"] is NoBox

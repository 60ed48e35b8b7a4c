"""Regions, the numbers inside them, and regions asked as the unit cube."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.verify.properties.nets import linear, opened, region

from pellucid.box.protocols import GradBox, LabelBox, ScoreBox, granted
from pellucid.box.torch_box import TorchBox
from pellucid.errors import UserError
from pellucid.spec import Spec, Values, Vector
from pellucid.verify.properties.cube import Cube

ANY = TorchBox(
    module=torch.nn.Identity(), spec=Spec(input=Vector(shape=(2,)), answer=Values(size=2))
)
ENDS = st.floats(-9, 9)


@given(ENDS, st.floats(1e-5, 1e-3), st.floats(-9, 9, width=32), st.lists(st.floats(0, 1)))
def test_points_of_the_cube_lie_inside_without_tolerance(low, wide, fixed, shares):
    wanted = region([low, fixed], [low + wide, fixed])
    found = wanted.representable(torch.float32)
    assert found.low.dtype == torch.float32
    u = torch.tensor([[*shares, 0.0, 1.0]], dtype=torch.float64).T.expand(-1, 2)
    points = Cube(inside=ANY, region=found).points(u)
    assert points.dtype == torch.float32
    assert bool(wanted.contains(points).all())
    assert points[-2].equal(found.low)
    assert points[-1].equal(found.high)


def test_the_numbers_inside_are_the_outermost_ones():
    found = region([0.1, -0.1, 0.5], [0.3, 0.1, 0.5]).representable(torch.float32)
    for low, high, ends in zip(found.low, found.high, ([0.1, 0.3], [-0.1, 0.1]), strict=False):
        assert float(low) >= ends[0] > float(np.nextafter(low.numpy(), np.float32(-9)))
        assert float(high) <= ends[1] < float(np.nextafter(high.numpy(), np.float32(9)))
    assert found.low[2] == found.high[2] == 0.5
    assert region([0.1], [0.1]).representable(torch.float32) is None
    assert region([0.1], [0.1]).representable(torch.float64).low.item() == 0.1


def test_a_widened_region_holds_its_ends_inside():
    wide = region([0.1, 0.0], [0.1, 1.0]).widened()
    assert bool((wide.low < torch.tensor([0.1, 0.0], dtype=torch.float64)).all())
    assert wide.high.tolist() == [np.nextafter(0.1, 1), np.nextafter(1.0, 2)]


@pytest.mark.parametrize(("low", "high"), [([1.0], [0.0]), ([0.0], [np.inf]), ([np.nan], [0.0])])
def test_a_region_that_is_none_is_refused(low, high):
    with pytest.raises(UserError, match="finite, with no lower end above"):
        region(low, high)


def test_gradients_pass_the_cube_at_its_ends_too(tmp_path):
    model = opened(linear(tmp_path, [[1.0], [2.0], [4.0]]))
    ends = region([-1.0, 0.1, 3.0], [1.0, 0.3, 3.0]).representable(torch.float32)
    box = Cube(inside=model.box, region=ends).box()
    assert granted(box) is GradBox
    u = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]], dtype=torch.float64, requires_grad=True)
    y = box.logits(u)
    x = torch.stack([ends.low, ends.high]).double()
    np.testing.assert_allclose(y.detach().numpy()[:, 0], x @ torch.tensor([1.0, 2, 4]).double())
    y.sum().backward()
    np.testing.assert_allclose(u.grad, [[2, 0.4, 0]] * 2, rtol=1e-6)


def test_a_cube_grants_no_more_than_the_box_behind_it(tmp_path):
    path, ends = linear(tmp_path, [[1.0]]), region([0.0], [1.0])
    for access, due in (("score", ScoreBox), ("gradient", GradBox), ("white", GradBox)):
        model = opened(path, access)
        assert granted(Cube(inside=model.box, region=ends).box()) is due
    with pytest.raises(UserError, match="needs a ScoreBox"):
        opened(path, "label")
    assert LabelBox is not ScoreBox


def test_axes_of_probes_go_through(tmp_path):
    model = opened(linear(tmp_path, np.eye(2)))
    box = Cube(inside=model.box, region=region([0.0, 2.0], [1.0, 4.0])).box()
    u = torch.rand(3, 4, 2, dtype=torch.float64)
    due = u * torch.tensor([1.0, 2.0]) + torch.tensor([0.0, 2.0])
    np.testing.assert_allclose(box.scores(u), due, rtol=1e-6)

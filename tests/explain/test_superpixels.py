"""Parts: about so many of them, whatever the size and the look of the input."""

import pytest
import torch

from pellucid.errors import UserError
from pellucid.explain.superpixels import Superpixels
from pellucid.spec import Image, OneClass, Spec, Vector

SIDES = (8, 28, 32, 224)
LOOKS = ("flat", "noise", "disc")


def picture(side, channels=1, look="disc"):
    at = (torch.arange(side) + 0.5) / side - 0.5
    disc = ((at**2 + at[:, None] ** 2) < 0.1) * 0.6 + 0.2 * at.abs()
    looks = {
        "flat": torch.zeros(side, side),
        "noise": torch.rand(side, side, generator=torch.Generator().manual_seed(0)),
        "disc": disc,
    }
    return looks[look].expand(channels, -1, -1).contiguous()


def parts(cut, x, about=49):
    spec = Spec(input=Image(shape=tuple(x.shape[1:])), answer=OneClass(size=2))
    return Superpixels(cut, about)(spec, x)


def counts(cut, x, about=49):
    found = parts(cut, x, about)
    assert all(torch.equal(row.unique(), torch.arange(int(row.max()) + 1)) for row in found)
    return [int(row.max()) + 1 for row in found]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", SIDES[:3])
@pytest.mark.parametrize("cut", ["grid", "slic", "quickshift"])
def test_the_number_of_parts_scales_with_the_image_and_is_never_one(cut, side, channels, look):
    if cut != "grid":
        pytest.importorskip("skimage")
    wanted = 16 if side == 8 else 49  # four pixels a part at least
    (count,) = counts(cut, picture(side, channels, look)[None])
    assert wanted / 2 <= count <= wanted * 1.5


@pytest.mark.parametrize("cut", ["grid", "slic", "quickshift"])
def test_large_images_have_as_many_parts(cut):
    if cut != "grid":
        pytest.importorskip("skimage")
    (count,) = counts(cut, picture(224, 3)[None])
    assert 25 <= count <= 75


def test_a_grid_is_of_equal_rectangles():
    image = parts("grid", torch.zeros(2, 3, 28, 28))
    assert torch.equal(image[0].bincount(), torch.full((49,), 16))
    assert torch.equal(image[0].reshape(28, 28)[:4, :4], torch.zeros(4, 4).long())
    wide = parts("grid", torch.zeros(1, 1, 4, 16), about=4).reshape(4, 16)
    assert torch.equal(wide[0], torch.arange(16) // 4)


def test_numbers_of_a_vector_are_parts_until_they_are_too_many():
    for size, due in ((7, 7), (49, 49), (98, 49)):
        spec = Spec(input=Vector(shape=(size,)), answer=OneClass(size=2))
        found = Superpixels()(spec, torch.zeros(1, size))[0]
        assert torch.equal(found, torch.arange(size) * due // size)


@pytest.mark.parametrize("cut", ["slic", "quickshift"])
def test_cuts_by_colour_follow_an_edge_that_the_grid_crosses(cut):
    pytest.importorskip("skimage")
    image = torch.zeros(1, 1, 28, 28)
    image[..., 10:] = 1.0
    found = parts(cut, image, about=16).reshape(28, 28)
    assert not set(found[:, :10].unique().tolist()) & set(found[:, 10:].unique().tolist())
    crossed = parts("grid", image, about=16).reshape(28, 28)
    assert set(crossed[:, :10].unique().tolist()) & set(crossed[:, 10:].unique().tolist())


@pytest.mark.parametrize("cut", ["slic", "quickshift"])
def test_a_row_is_cut_the_same_in_any_company(cut):
    pytest.importorskip("skimage")
    images = torch.stack([picture(28, look=look) for look in LOOKS])
    together = parts(cut, images)
    for row in range(len(images)):
        assert torch.equal(together[row], parts(cut, images[row : row + 1])[0])


def test_what_cannot_be_cut_is_said_in_a_sentence():
    vector = Spec(input=Vector(shape=(4,)), answer=OneClass(size=2))
    with pytest.raises(UserError, match=r"slic follows colours: .*\.$"):
        Superpixels("slic")(vector, torch.zeros(1, 4))
    with pytest.raises(UserError, match=r"at least one part"):
        Superpixels(about=0)

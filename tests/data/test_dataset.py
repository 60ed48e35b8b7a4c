"""Rows in the shape that a model wants."""

import pytest
import torch

from pellucid.data import BadData, Dataset
from pellucid.spec import BadQuestion, Image, OneClass, Points, Spec, Vector


def rows(*shape):
    return Dataset(
        name="mine",
        split=None,
        x=torch.rand(4, *shape),
        y=torch.zeros(4, dtype=torch.long),
        low=0.0,
        high=1.0,
        class_names=("one",),
        guessed=("Said before.",),
    )


def spec(source):
    return Spec(input=source, answer=OneClass(size=2))


def test_fitting_rows_stay():
    mine = rows(3, 5, 3)
    assert mine.suited(spec(Image(shape=(3, 5, 3)))) is mine


@pytest.mark.parametrize("shape", [(3, 5, 7), (1, 5, 7)])
def test_channels_move_to_the_front(shape):
    mine = rows(5, 7, shape[0])
    suited = mine.suited(spec(Image(shape=shape)))
    assert suited.shape == shape
    assert torch.equal(suited.x[1, -1, 2, 3], mine.x[1, 2, 3, -1])
    assert suited.guessed[0] == "Said before."
    assert suited.guessed[1].startswith(f"The rows are (5, 7, {shape[0]}) and the model takes")


def test_grey_rows_get_a_channel():
    mine = rows(5, 7)
    suited = mine.suited(spec(Image(shape=(1, 5, 7))))
    assert torch.equal(suited.x[:, 0], mine.x)
    assert "read as grey images" in suited.guessed[-1]


@pytest.mark.parametrize(
    ("shape", "line"), [((1, 5, 7), (35,)), ((5, 7), (35, 1)), ((5,), (1, 1, 5)), ((5, 1), (5,))]
)
def test_what_has_one_order_becomes_a_line(shape, line):
    mine = rows(*shape)
    suited = mine.suited(spec(Vector(shape=line)))
    assert suited.shape == line
    assert torch.equal(suited.x.flatten(1), mine.x.flatten(1))
    assert "put in one line" in suited.guessed[-1]


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ((5, 7), Image(shape=(3, 5, 7))),  # three channels would be made up
        ((7, 5), Image(shape=(1, 5, 7))),
        ((3, 8, 8), Vector(shape=(192,))),  # by channels or by pixels: not ours to choose
        ((64,), Image(shape=(1, 8, 8))),
        ((3, 7, 5), Image(shape=(3, 5, 7))),
    ],
)
def test_a_misfit_names_both_shapes(shape, wanted):
    with pytest.raises(BadData) as caught:
        rows(*shape).suited(spec(wanted))
    assert f"takes rows of shape {wanted.shape} but the data has rows of shape {shape}" in str(
        caught.value
    )


def test_other_models_are_refused():
    with pytest.raises(BadQuestion, match="needs images or vectors"):
        rows(3).suited(spec(Points()))

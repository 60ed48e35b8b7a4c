"""Fitting: axes and the order of classes, as the model has them."""

from dataclasses import replace

import pytest
import torch
from tests.subjects import Formula

from pellucid.data import Dataset
from pellucid.errors import UserError
from pellucid.opening import Facts, understand
from pellucid.opening.fitting import are_names, fitted

ANIMALS = ("cat", "dog", "owl")


def model(labels=None, shape=(2,)):
    facts = Facts(shape=shape, labels=labels, emits="logits")
    return understand(Formula(lambda x: x.flatten(1)[:, [0, 1, 0]]), declared=facts)


def rows(names, shape=(2,)):
    return Dataset(
        name="own", split=None, x=torch.rand(3, *shape), y=torch.tensor([0, 1, 2]), low=0.0,
        high=1.0, class_names=names,
    )  # fmt: skip


def test_classes_in_another_order_are_renumbered():
    data = fitted(rows(ANIMALS), model(("owl", " Cat", "DOG")))
    assert data.y.tolist() == [1, 2, 0]
    assert data.class_names == ("owl", " Cat", "DOG")
    assert "renumbered" in data.guessed[-1]


def test_a_second_fitting_changes_nothing():
    there = model(("owl", "cat", "dog"))
    once = fitted(rows(ANIMALS), there)
    assert fitted(once, there) is once


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (None, ANIMALS),
        (ANIMALS, ANIMALS),
        (("2", "0", "1"), ("0", "1", "2")),
        (("0", "1", "2"), ANIMALS),
        (ANIMALS, ("0", "1", "2")),
    ],
)
def test_equal_names_and_numbers_are_left(labels, names):
    data = rows(names)
    assert fitted(data, model(labels)) is data


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("cat", "dog", "emu"), "'emu' is none"),
        (("cat", "dog"), "2 classes and of the model's 3"),
        (("cat", "Cat", "dog"), "one to one"),
    ],
)
def test_names_that_match_in_part_are_left_and_told(names, text):
    data = replace(rows(names), y=torch.tensor([0, 1, 1]))
    left = fitted(data, model(ANIMALS))
    assert torch.equal(left.y, data.y)
    assert left.class_names == names
    assert text in left.guessed[-1]


def test_axes_are_laid_out():
    data = rows(ANIMALS, (4, 5, 3))
    laid = fitted(data, model(shape=(3, 4, 5)))
    assert torch.equal(laid.x, data.x.movedim(-1, 1))


def test_another_shape_is_refused():
    with pytest.raises(UserError, match="shape"):
        fitted(rows(ANIMALS, (7,)), model())


def test_what_a_name_is():
    assert are_names(ANIMALS)
    assert are_names(("1", "0"))
    assert not are_names(("0", " 1", "2"))

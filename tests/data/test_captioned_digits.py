"""Captioned digits: what a caption says is what the image shows."""

import torch

from pellucid import data
from pellucid.data.captioned_digits import CAPTIONS, COLOURS, SIZE
from pellucid.data.digits import Digits

TEST = data.load("captioned-digits", "test")


def test_each_caption_has_as_many_images_and_all_are_bytes():
    assert TEST.class_names == CAPTIONS
    assert TEST.y.bincount().tolist() == [10] * 160
    levels = 255 * TEST.x.double()
    assert (levels - levels.round()).abs().max() < 1e-4
    assert (TEST.x >= 0).all()
    assert (TEST.x <= 1).all()


def test_the_corner_and_the_colour_are_those_of_the_caption():
    half = SIZE // 2
    light = TEST.x.amax(1) > 0.5
    quarters = light.unfold(1, half, half).unfold(2, half, half).sum((3, 4)).flatten(1)
    corners = ("top left", "top right", "bottom left", "bottom right")
    said = [next(i for i, name in enumerate(corners) if name in CAPTIONS[c]) for c in TEST.y]
    assert (quarters.argmax(1) == torch.tensor(said)).all()
    tints = torch.tensor(list(COLOURS.values()))
    bright = TEST.x.flatten(2).sum(1).argmax(1)
    pixel = TEST.x.flatten(2)[torch.arange(len(TEST)), :, bright]
    named = torch.tensor([list(COLOURS).index(CAPTIONS[c].split()[0]) for c in TEST.y])
    assert (torch.cdist(pixel, tints).argmin(1) == named).all()


def test_the_digit_is_one_of_the_split_with_that_label():
    digits = Digits().load("test")
    names = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    for image, caption in zip(TEST.x[:40], TEST.y[:40].tolist(), strict=True):
        label = names.index(CAPTIONS[caption].split()[1])
        ink = image.amax(0)
        windows = ink.unfold(0, 16, 1).unfold(1, 16, 1).reshape(-1, 8, 2, 8, 2).mean((2, 4))
        patterns = digits.x[digits.y == label, 0].flatten(1)
        a = windows.flatten(1) - windows.flatten(1).mean(1, keepdim=True)
        b = patterns - patterns.mean(1, keepdim=True)
        a, b = a / a.norm(dim=1, keepdim=True), b / b.norm(dim=1, keepdim=True)
        assert (a @ b.T).max() > 0.97


def test_loading_twice_gives_the_same_bits_and_splits_differ():
    again = data.load("captioned-digits", "test")
    assert torch.equal(again.x, TEST.x)
    assert torch.equal(again.y, TEST.y)
    train = data.load("captioned-digits", "train")
    rows = {row.numpy().tobytes() for part in (train, TEST) for row in part.x}
    assert len(rows) == len(train) + len(TEST)

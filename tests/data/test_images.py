"""Folders of images, good and bad."""

import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from pellucid import data
from pellucid.data import BadData

ORIENTATION = 0x0112


def put(root, name, pixels, **options):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path, **options)


@pytest.fixture
def colours():
    return np.random.default_rng(0).integers(0, 256, (4, 3, 5, 3), dtype=np.uint8)


def test_classes_and_images_come_in_the_order_of_their_names(tmp_path, colours):
    for name, pixels in zip(
        ("dog/2.png", "cat/b.bmp", "dog/1.PNG", "cat/a.ppm"), colours, strict=True
    ):
        put(tmp_path, name, pixels)
    (tmp_path / "eel").mkdir()  # a class of which this folder has no image
    found = data.read(tmp_path)
    assert found.class_names == ("cat", "dog", "eel")
    assert found.y.tolist() == [0, 0, 1, 1]
    expected = torch.tensor(colours[[3, 1, 2, 0]]).permute(0, 3, 1, 2) / 255
    torch.testing.assert_close(found.x, expected)
    assert (found.low, found.high, found.split, found.guessed) == (0.0, 1.0, None, ())


def test_grey_images_have_one_channel(tmp_path, colours):
    put(tmp_path, "a/1.png", colours[0, ..., 0])
    Image.fromarray(colours[1, ..., 0] > 127).save(tmp_path / "a/2.png")  # one bit a pixel
    found = data.read(tmp_path)
    assert found.shape == (1, 3, 5)
    torch.testing.assert_close(found.x[0, 0], torch.tensor(colours[0, ..., 0]) / 255)
    torch.testing.assert_close(found.x[1, 0], torch.tensor(colours[1, ..., 0] > 127).float())


def test_grey_among_coloured_is_said(tmp_path, colours):
    put(tmp_path, "a/1.png", colours[0])
    put(tmp_path, "a/2.png", colours[1, ..., 0])
    found = data.read(tmp_path)
    torch.testing.assert_close(found.x[1], (torch.tensor(colours[1, ..., 0]) / 255).expand(3, 3, 5))
    assert found.guessed == (
        "1 images are grey among coloured ones, and were given three equal channels.",
    )


def test_palettes_are_coloured(tmp_path):
    pixels = np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)
    (tmp_path / "a").mkdir()
    Image.fromarray(pixels).convert("P").save(tmp_path / "a/1.png")
    assert data.read(tmp_path).x[0, :, 0].T.tolist() == [[1, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_stand_upright(tmp_path, colours, orientation):
    """The same picture, stored turned with the tag that turns it back."""
    upright = Image.fromarray(colours[0])
    tag = Image.Exif()
    tag[ORIENTATION] = orientation
    stored = {
        1: lambda image: image,
        2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
        4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
        6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
        7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
        8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
    }[orientation](upright)
    (tmp_path / "a").mkdir()
    stored.save(tmp_path / "a/1.png", exif=tag)
    put(tmp_path, "a/2.png", colours[0])
    found = data.read(tmp_path)
    assert torch.equal(found.x[0], found.x[1])
    assert len(found.guessed) == (orientation != 1)


def test_other_files_are_left_out_and_said(tmp_path, colours):
    put(tmp_path, "a/1.png", colours[0])
    put(tmp_path, "a/.hidden.png", colours[1])
    put(tmp_path, ".cache/1.png", colours[2])
    (tmp_path / "a/notes.txt").write_text("x", encoding="utf-8")
    (tmp_path / "README.md").write_text("x", encoding="utf-8")
    found = data.read(tmp_path)
    assert (len(found), found.class_names) == (1, ("a",))
    assert found.guessed == (
        "1 files in the class folders are no images by their names and were left out.",
    )


def test_the_odd_size_is_named_even_if_it_comes_first(tmp_path, colours):
    put(tmp_path, "a/1.png", colours[0].transpose(1, 0, 2))
    for number in (2, 3):
        put(tmp_path, f"b/{number}.png", colours[number])
    with pytest.raises(BadData, match=r"a/1.png is 3x5 pixels, but 2 of the 3 images are 5x3"):
        data.read(tmp_path)


def test_a_folder_without_classes(tmp_path, colours):
    put(tmp_path, "1.png", colours[0])
    with pytest.raises(BadData, match=r"no images in class folders; put them at .*/CLASS/NAME.png"):
        data.read(tmp_path)


@pytest.mark.parametrize(
    "image",
    [
        Image.new("RGBA", (5, 3)),
        Image.new("LA", (5, 3)),
        Image.new("I;16", (5, 3)),
    ],
    ids=lambda image: image.mode,
)
def test_what_would_lose_something_is_refused(tmp_path, image):
    (tmp_path / "a").mkdir()
    image.save(tmp_path / "a/1.png")
    with pytest.raises(BadData, match=rf"a/1.png is an image of mode {image.mode}"):
        data.read(tmp_path)


def test_a_transparent_palette_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    Image.new("P", (5, 3)).save(tmp_path / "a/1.png", transparency=0)
    with pytest.raises(BadData, match="with transparency"):
        data.read(tmp_path)


def test_broken_images_are_named(tmp_path, colours):
    put(tmp_path, "a/1.png", colours[0])
    whole = (tmp_path / "a/1.png").read_bytes()
    for content in (
        b"",
        b"plain text",
        whole[:40],
        whole[: len(whole) * 2 // 3],
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
    ):
        (tmp_path / "a/2.png").write_bytes(content)
        with pytest.raises(BadData, match=r"a/2\.png cannot be read as an image"):
            data.read(tmp_path)


@pytest.mark.parametrize("side", [10_000, 60_000])  # where Pillow warns, and where it refuses
def test_a_bomb_is_refused(tmp_path, side):
    def chunk(kind, content):
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    size = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(bytes(99)))
    (tmp_path / "a").mkdir()
    (tmp_path / "a/1.png").write_bytes(bomb)
    with pytest.raises(BadData, match=r"a/1\.png states more than 89478485 pixels"):
        data.read(tmp_path)

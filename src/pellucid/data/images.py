"""A folder of images that a user brings: ROOT/CLASS/IMAGE."""

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pellucid.data.archive import MOST
from pellucid.data.dataset import Dataset
from pellucid.data.errors import BadData

ENDINGS = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".webp")
FORMATS = ("BMP", "JPEG", "PNG", "PPM", "WEBP")  # what is opened, whatever the ending says
MODES = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB"}  # Pillow's modes that lose nothing here
CHANNELS = {"L": 1, "RGB": 3}
UPRIGHT = 1  # the value of the EXIF tag for an image that is not turned
ORIENTATION = 0x0112  # that tag


@dataclass(frozen=True, kw_only=True)
class _Header:
    """What an image says of itself before its pixels are read."""

    path: Path
    label: int
    mode: str  # L or RGB
    size: tuple[int, int]  # width and height as it is to be seen
    turned: bool  # its EXIF tag asks for a rotation or a mirror


def read_images(root: Path) -> Dataset:
    """The images in the class folders of `root`; classes are numbered in the order of their names.

    x is (n, 1, h, w) if all are grey and (n, 3, h, w) otherwise, from 0 to 1. An image is turned
    as its EXIF tag asks, which is how viewers show it, and `guessed` counts those that were.

    Raises:
        BadData: there are no class folders or no images in them, one cannot be read, has another
            size than most, transparency or more than 8 bits a channel, or they are too large.
    """
    classes = sorted(
        (entry for entry in root.iterdir() if entry.is_dir() and _seen(entry)),
        key=lambda entry: entry.name,
    )
    files = [
        (path, number)
        for number, folder in enumerate(classes)
        for path in sorted(folder.iterdir())
        if path.is_file() and _seen(path)
    ]
    headers = [_header(path, label) for path, label in files if _is_image(path)]
    if not headers:
        raise BadData(
            f"{root} has no images in class folders; put them at {root}/CLASS/NAME.png, where "
            "CLASS is the name of the class."
        )
    _check_sizes(root, headers)
    mode = "L" if all(header.mode == "L" for header in headers) else "RGB"
    return Dataset(
        name=root.name or "images",
        split=None,
        x=torch.from_numpy(_pixels(headers, mode)),
        y=torch.tensor([header.label for header in headers]),
        low=0.0,
        high=1.0,
        class_names=tuple(folder.name for folder in classes),
        provenance=f"The user's own folder {root.name}.",
        guessed=tuple(_notes(headers, mode, others=len(files) - len(headers))),
    )


def _seen(path: Path) -> bool:
    return not path.name.startswith(".")


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS


def _header(path: Path, label: int) -> _Header:
    with _opened(path) as image:
        if image.mode not in MODES or "transparency" in image.info:
            raise BadData(
                f"{path} is an image of mode {image.mode} or with transparency; save it as 8-bit "
                "grey or RGB."
            )
        orientation = image.getexif().get(ORIENTATION, UPRIGHT)
        width, height = image.size
        return _Header(
            path=path,
            label=label,
            mode=MODES[image.mode],
            size=(height, width) if orientation in (5, 6, 7, 8) else (width, height),
            turned=orientation in range(2, 9),
        )


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """An image whose every fault, found now or as its pixels are read, is a sentence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged metadata, say, which decides no pixel
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                yield image
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise BadData(
            f"{path} states more than {Image.MAX_IMAGE_PIXELS} pixels, as hostile images do; give "
            "a smaller one."
        ) from error
    except (EOFError, OSError, SyntaxError, TypeError, ValueError) as error:
        raise BadData(f"{path} cannot be read as an image; save it again as PNG.") from error


def _check_sizes(root: Path, headers: list[_Header]) -> None:
    ((width, height), same), *_ = Counter(header.size for header in headers).most_common(1)
    for header in headers:
        if header.size != (width, height):
            raise BadData(
                f"{header.path} is {header.size[0]}x{header.size[1]} pixels, but {same} of the "
                f"{len(headers)} images are {width}x{height}; give all one size."
            )
    if len(headers) * width * height * CHANNELS["RGB"] > MOST:
        raise BadData(
            f"The {len(headers)} images in {root} of {width}x{height} pixels hold more than {MOST} "
            "numbers; give fewer or smaller ones."
        )


def _pixels(headers: list[_Header], mode: str) -> NDArray[np.float32]:
    """The images, (n, channels, height, width) from 0 to 1."""
    width, height = headers[0].size
    x = np.empty((len(headers), height, width, CHANNELS[mode]), np.float32)
    for row, header in zip(x, headers, strict=True):
        with _opened(header.path) as image:
            upright = ImageOps.exif_transpose(image).convert(header.mode).convert(mode)
            row[:] = np.asarray(upright, np.uint8).reshape(row.shape)
    x /= 255
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))


def _notes(headers: list[_Header], mode: str, others: int) -> Iterator[str]:
    if turned := sum(header.turned for header in headers):
        yield f"{turned} images were turned as their EXIF tags ask, which is how viewers show them."
    if grey := sum(header.mode != mode for header in headers):
        yield f"{grey} images are grey among coloured ones, and were given three equal channels."
    if others:
        yield f"{others} files in the class folders are no images by their names and were left out."

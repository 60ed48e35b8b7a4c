"""Folders for results: usable before anything is paid, and files wholly written or not at all."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from pellucid.errors import UserError
from pellucid.files import replacing


class BadFolder(UserError):
    """A folder that cannot be written."""


class NotKept(UserError):
    """Something found could not be written, though the folder could be at first."""

    exit_code = 3


def usable(folder: Path) -> Path:
    """The folder, made if it is not there; BadFolder if nothing can be written in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise BadFolder(
            f"{folder} cannot be written ({error.strerror}): choose another folder."
        ) from error


@contextmanager
def keeping(folder: Path) -> Iterator[None]:
    """Say in a sentence that something could not be written, as when the disk is full."""
    try:
        yield
    except (OSError, SafetensorError, sqlite3.Error) as error:
        raise NotKept(
            f"What was found could not all be kept in {folder} ({error}): make room there, and run "
            "the same command again."
        ) from error


def write_arrays(path: Path, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write an .npz file of these arrays; equal arrays make equal files."""
    with replacing(path) as part, part.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)

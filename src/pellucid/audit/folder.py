"""Folders for results: usable before anything is paid, and nothing in them is lost."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from pellucid.audit.store import FILE
from pellucid.errors import UserError
from pellucid.files import replacing


class BadFolder(UserError):
    """A folder that cannot be used."""


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


def ready(folder: Path, *, resume: bool) -> Path:
    """The folder, made if it is not there; an audit in it is moved aside unless it is to go on.

    Raises:
        BadFolder: nothing can be written in it, or it holds files that are no audit's.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / FILE).is_file():
        raise BadFolder(
            f"{folder} holds files, but no audit: choose another folder, which need not exist."
        )
    if not resume and (folder / FILE).is_file():
        try:
            folder.rename(aside(folder))
        except OSError as error:
            raise BadFolder(
                f"The older audit in {folder} cannot be moved aside ({error.strerror}): choose "
                "another folder."
            ) from error
    return usable(folder)


def aside(folder: Path) -> Path:
    """Where an older audit goes: the first of NAME.1, NAME.2, ... that is free."""
    names = (folder.with_name(f"{folder.name}.{number}") for number in count(1))
    return next(path for path in names if not path.exists())


@contextmanager
def keeping(folder: Path | None, again: str = "run the same command again") -> Iterator[None]:
    """Say in a sentence that something could not be written, as when the disk is full."""
    try:
        yield
    except (OSError, SafetensorError, sqlite3.Error) as error:
        raise NotKept(
            f"What was found could not all be kept in {folder} ({error}): make room there, and "
            f"{again}."
        ) from error


def write_arrays(path: Path, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write an .npz file of these arrays; equal arrays make equal files."""
    with replacing(path) as part, part.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)

"""Where a published file is found: the user's data folder, the cache, or its mirror."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pooch

from pellucid.errors import UserError


class MissingFile(UserError):
    """A file is neither here nor to be had."""

    exit_code = 3


class WrongChecksum(UserError):
    """A file is not the published one."""

    exit_code = 3


@dataclass(frozen=True, kw_only=True)
class Published:
    """One file as its authors publish it."""

    path: str  # below the data folder: "MNIST/raw/train-images-idx3-ubyte.gz"
    url: str | None  # None: it is not published as one file, and only the user can have it
    sha256: str

    def here(self) -> bool:
        """Whether a file stands where this one is looked for; it is not verified."""
        return self._local() is not None

    def fetch(self) -> Path:
        """The verified file: from $PELLUCID_DATA, else from the cache, else from its mirror.

        Raises:
            MissingFile: it is in neither folder, and it has no mirror or that did not answer.
            WrongChecksum: it was found, but is another file.
        """
        here = self._local()
        if here is None:
            here = self._download(self._mirror())
        elif sha256(here) != self.sha256:
            raise WrongChecksum(
                f"{here} is not the published file (its sha256 is not {self.sha256}); "
                "delete it or put the right one there."
            )
        return here

    def _local(self) -> Path | None:
        folders = [cache_folder()]
        if own := os.environ.get("PELLUCID_DATA"):
            folders.insert(0, Path(own))
        return next((f / self.path for f in folders if (f / self.path).is_file()), None)

    def _mirror(self) -> str:
        if self.url is None:
            raise MissingFile(
                f"{self.path} is not here and cannot be downloaded as it stands; set PELLUCID_DATA "
                "to a folder that holds it."
            )
        return self.url

    def _download(self, url: str) -> Path:
        here = cache_folder() / self.path
        try:
            pooch.retrieve(url, known_hash=self.sha256, fname=here.name, path=here.parent)
        except ValueError as error:  # how pooch says that the checksum differs; it keeps no file
            raise WrongChecksum(
                f"{url} did not send the published file (its sha256 is not {self.sha256}); "
                f"put the right one at {here}."
            ) from error
        except OSError as error:  # every error of the connection is one
            raise MissingFile(
                f"{self.path} is not here and could not be downloaded from {url}; set "
                "PELLUCID_DATA to a folder that holds it, or connect to the internet."
            ) from error
        return here


def cache_folder() -> Path:
    """Where Pellucid keeps what it downloads or trains: $PELLUCID_CACHE, or the user's cache."""
    return Path(os.environ.get("PELLUCID_CACHE") or pooch.os_cache("pellucid"))


def digest_of(files: Iterable[Published]) -> str:
    """One checksum over those of several files, whatever their order; needs no file."""
    return hashlib.sha256("".join(sorted(file.sha256 for file in files)).encode()).hexdigest()


def sha256(path: Path) -> str:
    """The checksum of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

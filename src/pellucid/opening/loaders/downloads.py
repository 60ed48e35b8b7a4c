"""Fetches files of a model from the hub, once; afterwards they lie in its cache."""

from pathlib import Path

from httpx import HTTPError

from pellucid.extras import extra
from pellucid.opening.found import NoModel
from pellucid.opening.loaders._guests import said


class NoDownload(NoModel):
    """A model could not be fetched from the hub."""

    exit_code = 3


def fetched(name: str, files: tuple[str, ...]) -> Path:
    """The folder that holds the files of a repository on the hub.

    Args:
        name: OWNER/NAME, or OWNER/NAME@REVISION for a commit, branch or tag of it.
        files: names of the files to fetch, which may hold stars.

    Raises:
        NoModel: the name is no name of a repository.
        NoDownload: the hub has no such repository, or cannot be reached and the files are not in
            the cache.
    """
    with extra("hub", f"{name} on the hub"):
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError
    repository, _, revision = name.partition("@")
    try:
        return Path(
            snapshot_download(repository, revision=revision or None, allow_patterns=list(files))
        )
    except HFValidationError as error:
        raise NoModel(
            f"There is no folder at {name}, and it is no name on the hub ({said(error)}): check "
            "the path, or name OWNER/NAME."
        ) from error
    except (OSError, ValueError, HTTPError) as error:  # what the hub's client raises, offline too
        raise NoDownload(
            f"{name} could not be fetched from the hub ({said(error)}), and there is no folder of "
            "that name: check the name and the connection, or give the path of a folder."
        ) from error

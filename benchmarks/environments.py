"""One cached virtual environment a peer, made on demand from a complete list of pinned packages."""

import hashlib
import os
import shutil
import subprocess
import venv
from importlib.metadata import version
from pathlib import Path

import pooch

HERE = Path(__file__).parent


def cache() -> Path:
    """The folder where environments are kept: ``$PELLUCID_CACHE`` or the user's cache folder."""
    return Path(os.environ.get("PELLUCID_CACHE", pooch.os_cache("pellucid"))) / "bench"


def environment(peer: str) -> Path:
    """The Python of ``peer``'s environment, built first if no finished one is cached.

    The folder is named after the hash of the requirements, so a changed pin makes a new one.
    Everything is installed with ``--no-deps``: a peer's own pins may not replace torch.

    Raises:
        RuntimeError: the installation failed, or the environment's torch is not ours.
    """
    requirements = HERE / "peers" / f"requirements-{peer}.txt"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = cache() / f"{peer}-{digest}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    finished = folder / "finished"
    if finished.exists():
        return python

    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", requirements]
    if subprocess.run(install, check=False).returncode:
        raise RuntimeError(f"pip could not install {requirements}: its message is above.")
    ask = "from importlib.metadata import version; print(version('torch'))"
    theirs = subprocess.check_output([python, "-c", ask], text=True).strip()
    if theirs != version("torch"):
        raise RuntimeError(
            f"{peer}'s environment got torch {theirs} where ours is {version('torch')}: point pip "
            f"at the same wheels (PIP_FIND_LINKS or PIP_INDEX_URL), remove {folder} and run again."
        )
    finished.touch()
    return python

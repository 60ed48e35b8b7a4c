"""One cached virtual environment a list of pins, made on demand."""

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
    return Path(os.environ.get("PELLUCID_CACHE", pooch.os_cache("pellucid")))


def environment(requirements: Path, folder: Path) -> Path:
    """The folder of the programs of an environment, built first if no finished one is cached.

    The environment is named after the hash of the requirements, so a changed pin makes a new one.
    Everything is installed with ``--no-deps`` from a complete list: no pin may replace torch.

    Raises:
        RuntimeError: the installation failed.
    """
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    place = folder / f"{requirements.stem.removeprefix('requirements-')}-{digest}"
    programs = place / ("Scripts" if os.name == "nt" else "bin")
    if (place / "finished").exists():
        return programs
    print(f"installing {requirements.name} in {place} (minutes, once)", flush=True)
    shutil.rmtree(place, ignore_errors=True)
    venv.create(place, with_pip=True)
    install = [programs / "python", "-m", "pip", "install", "--quiet", "--no-deps"]
    if subprocess.run([*install, "-r", requirements], check=False).returncode:
        raise RuntimeError(f"pip could not install {requirements}: its message is above.")
    (place / "finished").touch()
    return programs


def python_of(peer: str) -> Path:
    """The Python of ``peer``'s environment.

    Raises:
        RuntimeError: the installation failed, or the environment's torch is not ours.
    """
    programs = environment(HERE / "peers" / f"requirements-{peer}.txt", cache() / "bench")
    python = programs / ("python.exe" if os.name == "nt" else "python")
    ask = "from importlib.metadata import version; print(version('torch'))"
    theirs = subprocess.check_output([python, "-c", ask], text=True).strip()
    if theirs != version("torch"):
        raise RuntimeError(
            f"{peer}'s environment got torch {theirs} where ours is {version('torch')}: point pip "
            f"at the same wheels (PIP_FIND_LINKS or PIP_INDEX_URL), remove {programs.parent} and "
            "run again."
        )
    return python

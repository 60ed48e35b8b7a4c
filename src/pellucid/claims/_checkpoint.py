"""Finished seeds on disk, so that an interrupted claim goes on where it stopped."""

import json
from dataclasses import asdict
from pathlib import Path

from pellucid.claims.claim import Measurement, Pair
from pellucid.claims.sources import Digested, changes
from pellucid.errors import UserError
from pellucid.files import write_whole

Finished = dict[int, tuple[float, Measurement]]  # seed: seconds, and numbers as plain lists


class BadCheckpoint(UserError):
    """A checkpoint that cannot be read or belongs to another run."""


def load(path: Path, key: Digested) -> Finished:
    """The finished seeds; none where there is no file.

    Raises:
        BadCheckpoint: not readable, or made with another key.
    """
    if not path.exists():
        return {}
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        made = facts["key"]
        finished = {int(seed): _measured(entry) for seed, entry in facts["seeds"].items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadCheckpoint(f"{path} is no checkpoint of a claim: name another file.") from error
    if made != key:
        raise BadCheckpoint(
            f"{path} belongs to another run ({', '.join(changes(made, key))}): delete it or name "
            "another file."
        )
    return finished


def save(path: Path, key: Digested, finished: Finished) -> None:
    """Write all finished seeds, wholly or not at all."""
    seeds = {str(seed): _facts(*entry) for seed, entry in finished.items()}
    write_whole(path, json.dumps({"key": key, "seeds": seeds}, allow_nan=False))


def _facts(seconds: float, measured: Measurement) -> dict:
    pairs = {name: asdict(pair) for name, pair in measured.items()}
    return {"seconds": seconds, "pairs": pairs}


def _measured(facts: dict) -> tuple[float, Measurement]:
    return facts["seconds"], {name: Pair(**sides) for name, sides in facts["pairs"].items()}

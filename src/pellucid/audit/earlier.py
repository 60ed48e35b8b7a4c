"""Audits that were written earlier, read again from their folders or from audit.json alone."""

import json
import zipfile
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from pellucid.audit.compare import Side
from pellucid.audit.document import SCHEMA, Audit, restored
from pellucid.audit.outputs import ARRAYS, JSON
from pellucid.errors import UserError

NEEDED = ("/distance", "/labels")  # arrays by which rows are paired


class NoAudit(UserError):
    """What was named holds no audit that this version can read."""


def side(place: str | Path) -> Side:
    """An audit with what was kept of its rows.

    Args:
        place: an audit's folder, or its audit.json alone, with which no rows can be paired.

    Raises:
        NoAudit: in a sentence, why it cannot be read.
    """
    place = Path(place)
    if not place.is_dir():
        return Side(audit=_audit(place), arrays={})
    if not (place / JSON).is_file():
        raise NoAudit(f"{place} holds no {JSON}: give the folder that an audit wrote to.")
    audit, kept = _audit(place / JSON), place / ARRAYS
    try:
        with np.load(kept, allow_pickle=False) as file:
            names = [name for name in file if name == "y" or name.endswith(NEEDED)]
            return Side(audit=audit, arrays={name: file[name] for name in names})
    except FileNotFoundError:
        return Side(audit=audit, arrays={})
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise NoAudit(
            f"{kept} cannot be read ({error}): remove it to compare without its rows."
        ) from error


def _audit(path: Path) -> Audit:
    advice = f"give an audit's folder or {JSON}"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NoAudit(f"There is nothing at {path}: check the path.") from None
    except (OSError, ValueError) as error:
        raise NoAudit(f"{path} is no audit ({error}): {advice}.") from error
    if not isinstance(told, dict) or "schema" not in told:
        raise NoAudit(f"{path} is no audit, for it names no schema: {advice}.")
    if told["schema"] != SCHEMA:
        raise NoAudit(
            f"{path} is of schema {told['schema']}, and this version reads {SCHEMA}: audit the "
            "model anew, or use the version that wrote it."
        )
    try:
        return restored(told)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise NoAudit(f"{path} is no audit (at '{place}': {first['msg']}): {advice}.") from error

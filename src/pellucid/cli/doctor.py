"""`pellucid doctor`: what works on this machine, and what to do about what does not."""

import json
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli._probes import Check, libraries


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
) -> None:
    """Say what works on this machine.

    Looks at Python, the libraries and the folders; exits with 3 if an audit cannot run.
    """
    checks = []
    for check in _checks():
        checks.append(check)
        if not as_json:
            typer.echo(f"{check.state:<8} {check.name:<17} {check.detail}")
    able = all(check.state != "problem" for check in checks)
    if as_json:
        report = {"able": able, "checks": [asdict(check) for check in checks]}
        typer.echo(json.dumps(report, indent=2))
    else:
        typer.echo("\nAudits can run." if able else "\nAudits cannot run: mend the problems above.")
    if not able:
        raise typer.Exit(3)


def _checks() -> Iterator[Check]:
    where = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Check(name="python", state="ok", detail=f"{where}, {os.cpu_count()} cores")
    yield from libraries()
    yield _data()
    yield _cache()


def _data() -> Check:
    name, folder = "PELLUCID_DATA", os.environ.get("PELLUCID_DATA")
    if not folder:
        detail = "not set: data sets that are not embedded are downloaded when they are first used."
        return Check(name=name, state="note", detail=detail)
    if not Path(folder).is_dir():
        detail = f"{folder} is not a folder: set it to one, or unset it."
        return Check(name=name, state="note", detail=detail)
    return Check(name=name, state="ok", detail=folder)


def _cache() -> Check:
    import pooch  # brings the web's libraries: only this command waits for them

    folder = Path(os.environ.get("PELLUCID_CACHE") or pooch.os_cache("pellucid"))
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if there.is_dir() and os.access(there, os.W_OK):
        return Check(name="cache", state="ok", detail=str(folder))
    detail = f"{folder} cannot be written: set PELLUCID_CACHE to a folder that can."
    return Check(name="cache", state="note", detail=detail)

"""The gate of `pellucid audit --fail-on LEVEL`: findings that are too bad end with exit code 1."""

import typer

from pellucid.audit import Audit
from pellucid.audit.severity import LEVELS, Level

FAILED = 1  # exit code


def gate(audit: Audit, fail_on: Level | None) -> None:
    """Leave with exit code 1 if a finding is as bad as this and nobody bears it."""
    for warning in audit.lapsed:
        typer.echo(f"pellucid: {warning}", err=True)
    if fail_on is None:
        return
    bad = [
        f"{finding.check} ({finding.severity})"
        for finding in audit.findings
        if LEVELS.index(finding.severity) >= LEVELS.index(fail_on)
        and finding.check not in audit.accepted
    ]
    if bad:
        typer.echo(f"pellucid: the gate '{fail_on}' failed: {', '.join(bad)}.", err=True)
        raise typer.Exit(FAILED)

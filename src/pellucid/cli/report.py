"""`pellucid report DIR`: writes the reports of an audit anew, from what its folder keeps."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    folder: Annotated[Path, typer.Argument(help="The folder that an audit wrote to.")] = Path(
        "pellucid-audit"
    ),
) -> None:
    """Write report.html, audit.json, audit.sarif and adversarial.npz anew; nothing is asked."""
    from pellucid.audit.outputs import rewrite

    rewrite(folder)
    typer.echo(f"Written to {folder / 'report.html'}, beside audit.json and audit.sarif.")

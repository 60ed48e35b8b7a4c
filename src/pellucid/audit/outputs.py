"""The files that an audit leaves in its folder, all made from its store."""

from dataclasses import asdict, replace
from pathlib import Path

from pellucid.audit.document import Audit, restored
from pellucid.audit.finding import Found
from pellucid.audit.folder import keeping, write_arrays
from pellucid.audit.report import render
from pellucid.audit.sarif import sarif
from pellucid.audit.store import NoStore, Store, existing
from pellucid.files import write_whole

JSON, HTML, SARIF, ARRAYS = "audit.json", "report.html", "audit.sarif", "adversarial.npz"
MOVED = ("adversarial", "distance", "labels", "labels_after")  # arrays that are handed out


def handed_out(found: Found) -> Found:
    """The same, where the finding says which of its arrays lie in which file."""
    check = found.finding.check
    files = {name: f"{ARRAYS}:{check}/{name}" for name in MOVED if name in found.arrays}
    return replace(found, finding=replace(found.finding, artefacts=files))


def write_json(audit: Audit, folder: Path | None) -> None:
    """Write `audit.json` alone, as it stands."""
    if folder is not None:
        write_whole(folder / JSON, audit.to_json())


def rewrite(folder: Path) -> None:
    """Write the reports of the audit in a folder anew, from what it keeps.

    Raises:
        NoStore: there is no audit in the folder, or it was stopped before its first report.
    """
    with existing(folder) as store, keeping(folder):
        told = store.facts("audit")
        if told is None:
            raise NoStore(f"The audit in {folder} was stopped before it could report anything.")
        write(restored(told), store, folder)


def write(audit: Audit, store: Store, folder: Path | None) -> None:
    """Write all reports, and keep what they are made of."""
    if folder is None:
        return
    store.keep_facts("audit", asdict(audit))
    arrays = {one.check: store.arrays(one.check) for one in audit.findings}
    data = store.arrays("data")
    moved = {
        f"{check}/{name}": array
        for check, held in arrays.items()
        for name, array in held.items()
        if name in MOVED
    }
    write_arrays(folder / ARRAYS, data | moved)
    write_json(audit, folder)
    logged = sarif(
        audit.findings,
        reference=audit.model.reference,
        base=Path.cwd(),
        finished=audit.finished,
        not_tested=audit.summary.not_tested,
        accepted=audit.accepted,
    )
    write_whole(folder / SARIF, logged)
    page = render(asdict(audit), arrays, data["x"], data["y"], audit.data.class_names)
    write_whole(folder / HTML, page)

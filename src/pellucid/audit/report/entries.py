"""The findings one by one, as the table of the report lists them."""

from collections.abc import Iterator
from dataclasses import dataclass

from pellucid.audit.document import Audit
from pellucid.audit.finding import Finding, Lines
from pellucid.audit.report.chart import Table
from pellucid.audit.report.reading import stage
from pellucid.audit.report.words import number, spaced, title
from pellucid.audit.severity import LEVELS, Level
from pellucid.audit.threats import NAMES, URLS

FULL = 30  # findings whose tables stand in the page; those of the others stand in audit.json
LINES = 8  # of a table
OPEN = 1  # findings whose details are open


@dataclass(frozen=True, kw_only=True)
class Threat:
    """An entry of a public catalogue of threats."""

    id: str
    name: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One finding."""

    number: int  # in the order in which they were made, from 1
    rank: int  # of its severity, 0 for none
    severity: Level
    check: str
    title: str
    stage: str
    text: str
    access: str
    finding: Finding
    figures: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    threats: tuple[Threat, ...]
    accepted: str  # who bears it and why; empty: nobody
    open: bool


def entries(audit: Audit) -> list[Entry]:
    """The worst first, otherwise in the order in which they were made."""
    found, borne = audit.findings, audit.accepted
    order = sorted(range(len(found)), key=lambda i: (-LEVELS.index(found[i].severity), i))
    return [
        _entry(found[i], i + 1, place, borne.get(found[i].check, ""))
        for place, i in enumerate(order)
    ]


def _entry(finding: Finding, count: int, place: int, accepted: str) -> Entry:
    single = {k: v for k, v in finding.figures.items() if not isinstance(v, list)}
    tables = [(k, v) for k, v in finding.figures.items() if isinstance(v, list) and v]
    return Entry(
        number=count,
        rank=LEVELS.index(finding.severity),
        severity=finding.severity,
        check=finding.check,
        title=title(finding.check),
        stage=stage(finding),
        text=finding.text,
        access=finding.access,
        finding=finding,
        figures=tuple((spaced(k), number(v)) for k, v in single.items()),
        tables=tuple(_table(k, v) for k, v in tables) if place < FULL else (),
        threats=tuple(_threats(finding)),
        accepted=accepted,
        open=place < OPEN,
    )


def _threats(finding: Finding) -> Iterator[Threat]:
    catalogues = (("ATLAS", "AML", finding.atlas), ("OWASP", "ML", finding.owasp))
    for label, key, ids in catalogues:
        for each in ids:
            url = URLS[key].format(id=each)
            yield Threat(id=f"{label} {each}", name=NAMES.get(each, ""), url=url)


def _table(name: str, lines: Lines) -> Table:
    head = tuple(dict.fromkeys(key for each in lines for key in each))
    last = len(lines) - 1
    few = (
        lines
        if len(lines) <= LINES
        else [lines[round(k * last / (LINES - 1))] for k in range(LINES)]
    )
    return Table(
        caption=spaced(name).capitalize(),
        head=tuple(map(spaced, head)),
        lines=tuple(tuple(number(each.get(key)) for key in head) for each in few),
        note=f"{LINES} of {len(lines):,} lines; all stand in audit.json."
        if len(lines) > LINES
        else "",
    )

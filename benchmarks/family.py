"""A family of studies: how each is measured, where its record is kept, and the page of them all."""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from benchmarks.processes import ROOT
from pellucid.machine import machine, versions

Say = Callable[[str], None]
Json = dict[str, Any]


class Study(Protocol):
    """What a family must know of its studies."""

    @property
    def slug(self) -> str:
        """Its name on the command line and of its record."""
        ...

    @property
    def title(self) -> str:
        """The heading of its section."""
        ...

    @property
    def rounds(self) -> int:
        """How often each tool is run."""
        ...


S = TypeVar("S", bound=Study)


@dataclass(frozen=True, kw_only=True)
class Family(Generic[S]):
    """Studies that share a page: docs/benchmarks/NAME.md, from benchmarks/results/NAME/SLUG.json.

    What is measured is JSON (infinities become null), with the versions of all that was compared
    under "versions"; the section is made of what was read back.
    """

    name: str
    foreword: str  # the head of the page
    studies: Sequence[S]  # in the order of the page
    measure: Callable[[S, int, Say], Json]  # the study, so many rounds of it
    section: Callable[[Json], str]  # Markdown of what was measured, without the heading

    @property
    def page(self) -> Path:
        return ROOT / "docs" / "benchmarks" / f"{self.name}.md"

    def path(self, study: S) -> Path:
        return ROOT / "benchmarks" / "results" / self.name / f"{study.slug}.json"

    def record(self, study: S, rounds: int, say: Say) -> Json:
        """Measure, and say when, on what and beside what load."""
        began, day, before = time.monotonic(), datetime.now(UTC).date(), os.getloadavg()[0]
        measured = self.measure(study, rounds, say)
        record = {
            "slug": study.slug,
            "title": study.title,
            "day": day.isoformat(),
            "seconds": round(time.monotonic() - began),
            "rounds": rounds,
            "facts": {**versions(), **machine(), "threads": 1},
            "load": {"before": before, "after": os.getloadavg()[0]},
            "measured": measured,
        }
        # JSON has no infinity: the distance of a row without success is null
        return json.loads(json.dumps(record), parse_constant=lambda _: None)

    def keep(self, study: S, record: Json) -> None:
        path = self.path(study)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, indent=1) + "\n")

    def chapter(self, record: Json) -> str:
        """The section of a study, with its heading and its circumstances."""
        facts = record["facts"]
        peers = [f"{name} {version}" for name, version in record["measured"]["versions"].items()]
        minutes, rounds = max(1, round(record["seconds"] / 60)), record["rounds"]
        return (
            f"## {record['title']}\n\n{self.section(record['measured'])}\n\n"
            f"Measured {record['day']} on {facts['cpu']} ({facts['cores']} cores, load average "
            f"{record['load']['before']:.1f} before and {record['load']['after']:.1f} after) in "
            f"{minutes} min, {rounds} round{'s' * (rounds != 1)}: torch {facts['torch']}, Python "
            f"{facts['python']}, {', '.join(sorted(peers))}.\n"
        )

    def recorded(self) -> Iterator[Json]:
        for study in self.studies:
            if self.path(study).exists():
                yield json.loads(self.path(study).read_text())

    def write_page(self) -> None:
        """Make the page anew of all that is recorded."""
        missing = [study.title for study in self.studies if not self.path(study).exists()]
        note = f"Not measured yet: {'; '.join(missing)}.\n" if missing else ""
        chapters = [self.chapter(record) for record in self.recorded()]
        self.page.parent.mkdir(parents=True, exist_ok=True)
        self.page.write_text("\n".join([self.foreword, *chapters, *([note] if note else [])]))

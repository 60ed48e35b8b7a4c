"""What a check found: figures, how bad they are, what they cost, and the ids of the threat."""

from dataclasses import dataclass, field

from numpy.typing import NDArray

from pellucid.audit.severity import Level
from pellucid.box.protocols import Access
from pellucid.ledger import Cost

Figure = float | int | str | bool | None
Lines = list[dict[str, Figure]]  # a table: a curve's points, or one line a class
Figures = dict[str, Figure | Lines]


FREE = Cost()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found; every check that ran leaves one, also where nothing is wrong."""

    check: str  # its stage and name, such as "falsify.square.linf"
    system: str | None  # slug of the method; None: the check is the audit's own
    severity: Level
    access: Access  # the least that shows what the check looked at
    figures: Figures
    atlas: tuple[str, ...] = ()  # techniques of MITRE ATLAS that it stands for
    owasp: tuple[str, ...] = ()  # of OWASP's Machine Learning Security Top Ten
    cost: Cost = FREE
    artefacts: dict[str, str] = field(default_factory=dict)  # what it is: "file:array"
    text: str  # the finding in a sentence or two


def rows_of(finding: Finding, name: str) -> Lines:
    """A table among a finding's figures; empty if it has none of this name."""
    found = finding.figures.get(name)
    return found if isinstance(found, list) else []


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """A finding with its arrays, by names that stay short: "adversarial", "rows", "values"."""

    finding: Finding
    arrays: dict[str, NDArray] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class NotTested:
    """A check that could not run, or did not come to its end."""

    check: str
    reason: str  # a clause that reads on after "Not tested: ..., for"

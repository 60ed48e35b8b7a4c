"""An audit and its findings, as the parts of the report ask for them."""

from collections.abc import Mapping, Sequence

from pellucid.audit.document import Audit, restored
from pellucid.audit.finding import Figure, Finding, Lines
from pellucid.audit.report.words import discreet


def audit_of(document: Mapping[str, object]) -> Audit:
    """The audit that audit.json holds, without credentials in any URL."""
    return restored({key: _quiet(value) for key, value in document.items()})


def _quiet(value: object) -> object:
    if "//" not in str(value):  # most parts name no URL, and need not be walked through
        return value
    match value:
        case str():
            return discreet(value)
        case dict():
            return {_quiet(key): _quiet(each) for key, each in value.items()}
        case list() | tuple():
            return [_quiet(each) for each in value]
        case _:
            return value


def stage(finding: Finding) -> str:
    """The stage that a finding is of."""
    return finding.check.partition(".")[0]


def of_stage(found: Sequence[Finding], name: str) -> list[Finding]:
    """The findings of one stage."""
    return [one for one in found if stage(one) == name]


def single(finding: Finding, name: str) -> Figure:
    """A figure that is one value; None if the finding has none of this name."""
    value = finding.figures.get(name)
    return None if isinstance(value, list) else value


def column(table: Lines, name: str) -> list[Figure]:
    """One column of a table; None where a line lacks it."""
    return [each.get(name) for each in table]


def numeric(value: Figure, otherwise: float = 0.0) -> float:
    """A figure as a number to sort by."""
    return float(value) if isinstance(value, int | float) else otherwise

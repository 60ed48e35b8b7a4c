"""An audit as a document: what it found, what it could not test, and where all of it comes from."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

from pydantic import TypeAdapter

from pellucid.audit.finding import FREE, Cost, Finding, NotTested, rows_of
from pellucid.audit.severity import Level, Limits, worst
from pellucid.ball import NormName
from pellucid.box.protocols import Access

SCHEMA = 1  # of audit.json; a reader that knows this number can read the file
CLEAN = "clean.accuracy"


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """Which model was audited, and how much of it was seen."""

    reference: str
    access: Access
    spec: str
    fingerprint: str | None
    understood: dict[str, dict[str, object]] = field(default_factory=dict)  # facts, and who told
    notes: tuple[str, ...] = ()  # what opening the model has to say


@dataclass(frozen=True, kw_only=True)
class DataFacts:
    """Which rows it was audited on."""

    name: str
    split: str | None
    rows: int
    digest: str  # of inputs and labels
    class_names: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()  # what was not known of them, and what was taken instead


@dataclass(frozen=True, kw_only=True)
class PlanFacts:
    """Which plan was followed."""

    name: str
    digest: str  # of its text
    checks: tuple[str, ...]  # those that were planned, in their order


@dataclass(frozen=True, kw_only=True)
class Robust:
    """How often a model stays right against one attack, within one radius."""

    norm: NormName
    epsilon: float
    access: Access
    attack: str
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What to read first."""

    severity: Level = "none"  # of the worst finding
    clean_accuracy: float | None = None
    clean_reason: str | None = None  # why there is no accuracy, where there is none
    robust_accuracy: tuple[Robust, ...] = ()
    cost: Cost = FREE
    not_tested: tuple[NotTested, ...] = ()


BLANK = Summary()


@dataclass(frozen=True, kw_only=True)
class Audit:
    """The findings of an audit, and all that another one needs to come to them again."""

    summary: Summary = BLANK
    findings: tuple[Finding, ...] = ()
    schema: int = SCHEMA
    finished: bool
    stopped: str | None = None  # why the audit ended before its plan did
    accepted: dict[str, str] = field(default_factory=dict)  # who bears a finding and why, by check
    lapsed: tuple[str, ...] = ()  # sentences about findings that are not accepted any more
    model: ModelFacts
    data: DataFacts
    plan: PlanFacts
    limits: Limits
    seed: int
    budget: int | None  # questions, the judge's and the opening's included
    allowed_seconds: float | None
    opening: Cost  # what opening the model cost
    versions: dict[str, str]
    machine: dict[str, str | int]
    started: str  # date and time, ISO 8601
    seconds: float  # of this call alone, where an audit was resumed

    def with_findings(
        self, findings: Sequence[Finding], not_tested: Sequence[NotTested], reason: str | None
    ) -> "Audit":
        """The same audit with these findings, and the summary that they give."""
        clean = [one.figures["accuracy"] for one in findings if one.check == CLEAN]
        accuracy = clean[0] if clean and isinstance(clean[0], float) else None
        summary = Summary(
            severity=worst([one.severity for one in findings]),
            clean_accuracy=accuracy,
            clean_reason=None if accuracy is not None else reason,
            robust_accuracy=tuple(line for one in findings for line in _robust(one)),
            cost=sum((one.cost for one in findings), self.opening),
            not_tested=tuple(not_tested),
        )
        return replace(self, summary=summary, findings=tuple(findings))

    def to_json(self) -> str:
        """What `audit.json` holds."""
        return json.dumps(asdict(self), indent=2, allow_nan=False) + "\n"


def _robust(finding: Finding) -> list[Robust]:
    """The points of a finding's curve at the plan's radii; of an attack alone."""
    if finding.system is None or not finding.check.startswith("falsify."):
        return []
    shared = {"norm": finding.figures["norm"], "access": finding.access, "attack": finding.system}
    told = ("epsilon", "accuracy", "low", "high")
    points = [{name: line[name] for name in told} for line in rows_of(finding, "by_epsilon")]
    return [_ROBUST.validate_python(shared | point) for point in points]


_ROBUST = TypeAdapter(Robust)


_AUDIT = TypeAdapter(Audit)


def read(text: str) -> Audit:
    """The audit that `to_json` wrote; pydantic's ValidationError otherwise."""
    return restored(json.loads(text))


def restored(told: dict[str, object]) -> Audit:
    """The audit whose fields these are, as JSON has them; pydantic's ValidationError otherwise."""
    return _AUDIT.validate_python(told)


def schema() -> dict[str, object]:
    """The JSON schema of `audit.json`."""
    return _AUDIT.json_schema()

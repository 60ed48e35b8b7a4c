"""What an audit says: findings with their figures and costs, and where they come from."""

import json
from dataclasses import asdict, dataclass, field

Figure = float | int | str | None


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What was asked of the model."""

    queries: int = 0  # questions, the judge's included
    gradients: int = 0  # rows that went backwards
    calls: int = 0  # requests, however many rows each carried

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            queries=self.queries + other.queries,
            gradients=self.gradients + other.gradients,
            calls=self.calls + other.calls,
        )


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found."""

    check: str
    system: str | None  # slug of the method; None: the check is the audit's own
    access: str  # the least that shows what the check looked at
    figures: dict[str, Figure]
    cost: Cost
    text: str  # the finding in a sentence


@dataclass(frozen=True, kw_only=True)
class NotTested:
    """A check that could not run."""

    check: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """Which model was audited, and how much of it was seen."""

    reference: str
    access: str
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
    guessed: tuple[str, ...] = ()  # what was not known of them, and what was taken instead


@dataclass(frozen=True, kw_only=True)
class Audit:
    """The findings of an audit, and all that another one needs to come to them again."""

    finished: bool
    model: ModelFacts
    data: DataFacts
    seed: int
    budget: int  # questions, the judge's and the opening's included
    opening: Cost  # what opening the model cost
    findings: tuple[Finding, ...]
    not_tested: tuple[NotTested, ...]
    versions: dict[str, str]
    machine: dict[str, str | int]
    seconds: float  # of this call alone, where an audit was resumed

    @property
    def cost(self) -> Cost:
        """What all of it cost."""
        return sum((finding.cost for finding in self.findings), self.opening)

    @property
    def clean_accuracy(self) -> Figure:
        """The share of rows that the model gets right as they are; None: not known yet."""
        clean = [finding for finding in self.findings if finding.check == "clean"]
        return clean[0].figures["accuracy"] if clean else None

    @property
    def robust_accuracy(self) -> list[dict[str, Figure]]:
        """The share of rows that stay right inside a ball, one entry an attack."""
        told = ("norm", "epsilon", "accuracy", "low", "high")
        return [
            {"attack": finding.system, "access": finding.access}
            | {name: finding.figures[name] for name in told}
            for finding in self.findings
            if finding.system is not None
        ]

    def to_json(self) -> str:
        """What `audit.json` holds."""
        facts = asdict(self)
        summary = {
            "clean_accuracy": self.clean_accuracy,
            "robust_accuracy": self.robust_accuracy,
            "cost": asdict(self.cost),
            "not_tested": facts.pop("not_tested"),
        }
        head = {"finished": facts.pop("finished"), "summary": summary}
        findings = {"findings": facts.pop("findings")}
        return json.dumps(head | findings | facts, indent=2, allow_nan=False) + "\n"

"""Two audits compared, check by check: what regressed, what improved, what cannot be told."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from jaxtyping import Bool
from numpy import ndarray
from numpy.typing import NDArray

from pellucid.audit.document import CLEAN, Audit
from pellucid.audit.estimates import estimates, unpaired
from pellucid.audit.finding import Finding
from pellucid.audit.paired import difference
from pellucid.audit.severity import LEVELS, Level
from pellucid.statistics import Interval

Verdict = Literal["regressed", "improved", "unchanged", "only old", "only new", "not comparable"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """One of the two audits."""

    audit: Audit
    arrays: Mapping[str, NDArray]  # "falsify.square.linf/distance"; empty where only JSON is left

    def right(self, check: str, epsilon: float | None) -> Bool[ndarray, " n"] | None:
        """Which rows were right within a radius; None where that was not kept."""
        distance = self.arrays.get(f"{check}/distance")
        if distance is not None and epsilon is not None:
            return distance > epsilon
        labels, y = self.arrays.get(f"{check}/labels"), self.arrays.get("y")
        return labels == y if check == CLEAN and labels is not None and y is not None else None


@dataclass(frozen=True, kw_only=True)
class Change:
    """One figure in both audits."""

    figure: str
    old: float
    new: float
    low: float  # of new less old, at 95 %
    high: float
    paired: bool  # row by row; otherwise as if the rows were others, which is wider
    rises: bool  # whether more is better

    @property
    def worse(self) -> bool:
        """Whether it fell beyond chance."""
        return self.high < 0 if self.rises else self.low > 0

    @property
    def better(self) -> bool:
        """Whether it rose beyond chance."""
        return self.low > 0 if self.rises else self.high < 0


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One check in both audits, or in one of them."""

    check: str
    verdict: Verdict
    old: Level | None = None  # severity; None: the check did not run
    new: Level | None = None
    changes: tuple[Change, ...] = ()
    reason: str | None = None  # why it cannot be compared


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What became of each check, and what else differs between the two audits."""

    old: str  # the models
    new: str
    checks: tuple[Compared, ...]
    notes: tuple[str, ...]  # sentences

    @property
    def regressed(self) -> tuple[str, ...]:
        """The checks that regressed."""
        return tuple(one.check for one in self.checks if one.verdict == "regressed")

    @property
    def comparable(self) -> bool:
        """Whether any check could be compared."""
        return any(one.verdict in ("regressed", "improved", "unchanged") for one in self.checks)

    def to_json(self) -> dict[str, object]:
        """The comparison as plain values."""
        return {"regressed": list(self.regressed), **asdict(self)}


def compare(old: Side, new: Side) -> Comparison:
    """Compare two audits of the same rows.

    A check regressed if one of its figures fell by more than chance explains: the 95 % interval of
    the difference lies below zero (above it for an error). The other way round it improved, if it
    did not regress too. Severities decide only where there are no figures to compare: a bound near
    a limit crosses it by chance, as corruptions drawn with another seed show.
    """
    before = {one.check: one for one in old.audit.findings}
    after = {one.check: one for one in new.audit.findings}
    names = [*before, *(name for name in after if name not in before)]
    checks = tuple(_check(name, before.get(name), after.get(name), old, new) for name in names)
    return Comparison(
        old=old.audit.model.reference,
        new=new.audit.model.reference,
        checks=checks,
        notes=tuple(_notes(old, new, checks)),
    )


def _check(
    name: str, before: Finding | None, after: Finding | None, old: Side, new: Side
) -> Compared:
    if before is None:
        return Compared(check=name, verdict="only new", new=after and after.severity)
    if after is None:
        return Compared(check=name, verdict="only old", old=before.severity)
    reason, changes = None, tuple(_changes(before, after, old, new))
    if old.audit.data.digest != new.audit.data.digest:
        reason, changes = "the rows are others", ()
    elif not changes and (estimates(before) or estimates(after)):
        reason = "no figure was measured alike, at the same radius"
    verdict = "not comparable" if reason else _verdict(before.severity, after.severity, changes)
    return Compared(
        check=name,
        verdict=verdict,
        old=before.severity,
        new=after.severity,
        changes=changes,
        reason=reason,
    )


def _changes(before: Finding, after: Finding, old: Side, new: Side) -> Iterator[Change]:
    then, now = estimates(before), estimates(after)
    for name in [name for name in then if name in now]:
        paired = _paired(before.check, then[name].epsilon, old, new)
        found = unpaired(now[name], then[name]) if paired is None else paired
        yield Change(
            figure=name,
            old=then[name].value,
            new=now[name].value,
            low=found.low,
            high=found.high,
            paired=paired is not None,
            rises=then[name].rises,
        )


def _paired(check: str, epsilon: float | None, old: Side, new: Side) -> Interval | None:
    """The difference row by row; None where one side has not kept its rows."""
    ours, theirs = new.right(check, epsilon), old.right(check, epsilon)
    if ours is None or theirs is None or ours.shape != theirs.shape:
        return None
    return difference(ours, theirs)


def _verdict(before: Level, after: Level, changes: tuple[Change, ...]) -> Verdict:
    rise = 0 if changes else LEVELS.index(after) - LEVELS.index(before)
    if rise > 0 or any(change.worse for change in changes):
        return "regressed"
    return "improved" if rise < 0 or any(change.better for change in changes) else "unchanged"


def _notes(old: Side, new: Side, checks: tuple[Compared, ...]) -> Iterator[str]:
    before, after = old.audit, new.audit
    changes = [change for one in checks for change in one.changes]
    if before.data.digest != after.data.digest:
        yield "The audits are of different rows, so nothing can be compared: audit the same rows."
    if changes and not all(change.paired for change in changes):
        yield (
            "Figures with a * are compared as if the rows were others, with wider intervals: what "
            "was found row by row is not beside both audits, or is not kept for such checks."
        )
    moved = [one.check for one in checks if one.verdict == "unchanged" and one.old != one.new]
    if moved:
        yield (
            f"The severity of {', '.join(moved)} is another, though no figure moved by more than "
            "chance explains."
        )
    yield from _otherwise(before, after)
    if len(changes) > 1:
        yield (
            f"Of {len(changes)} figures without any true change about {len(changes) / 40:.1f} "
            "would seem to have fallen by chance."
        )


def _otherwise(before: Audit, after: Audit) -> Iterator[str]:
    """What else is not the same about the two audits."""
    for what, was, is_now in (
        ("access", before.model.access, after.model.access),
        ("plan", before.plan.digest, after.plan.digest),
        ("budget", before.budget, after.budget),
        ("seed", before.seed, after.seed),
        ("limits", before.limits, after.limits),
        ("version of Pellucid", _version(before), _version(after)),
    ):
        if was != is_now:
            yield f"The {what} is not the same, which may move figures or severities by itself."
    for which, audit in (("old", before), ("new", after)):
        if not audit.finished:
            yield f"The {which} audit was stopped before its end."


def _version(audit: Audit) -> str | None:
    return audit.versions.get("pellucid")

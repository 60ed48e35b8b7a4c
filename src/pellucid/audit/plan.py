"""Plans: which checks an audit makes and what it demands, from TOML to budgets."""

import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import xxhash

from pellucid.audit.check import STAGES, Check, stage_of
from pellucid.audit.checks.accuracy import Accuracy
from pellucid.audit.checks.calibration import Calibration
from pellucid.audit.checks.classes import Classes
from pellucid.audit.checks.corruptions import Corruptions
from pellucid.audit.checks.explained import Explained
from pellucid.audit.checks.falsify import Falsify
from pellucid.audit.checks.prove import Prove
from pellucid.audit.checks.slices import Slices
from pellucid.audit.checks.strongest import Strongest
from pellucid.audit.checks.trapped import Trapped
from pellucid.audit.checks.worst import Worst
from pellucid.audit.severity import Limits
from pellucid.errors import UserError
from pellucid.methods import from_plain
from pellucid.naming import UnknownName, unknown

BUILTIN = ("quick", "standard", "deep")
KINDS: dict[str, type[Check]] = {
    "clean.accuracy": Accuracy,
    "clean.classes": Classes,
    "clean.slices": Slices,
    "clean.calibration": Calibration,
    "clean.corruptions": Corruptions,
    "falsify": Falsify,
    "falsify.strongest": Strongest,
    "falsify.traps": Trapped,
    "falsify.worst": Worst,
    "prove": Prove,
    "explain": Explained,
}


class BadPlan(UserError):
    """A plan that cannot be read or followed."""


class UnknownPart(UnknownName):
    """A plan or a kind of check that is not there."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The checks of an audit in the order in which they run."""

    name: str
    rows: int
    limits: Limits
    checks: tuple[Check, ...]
    digest: str  # of the text


def plan(reference: str) -> Plan:
    """A builtin plan by its name, or the plan in a TOML file.

    A plan has `rows`, a table of `limits` (fields of `pellucid.audit.severity.Limits`) and, for
    each check, a table `[[check]]` with its `kind` and the fields of its class.

    Raises:
        BadPlan: there is none, or it is not as a plan must be.
        UserError: a check or a limit has unknown or unfit fields.
    """
    if reference in BUILTIN:
        text = resources.files("pellucid.audit").joinpath(f"plans/{reference}.toml").read_text()
        return _read(reference, text)
    path = Path(reference)
    if path.suffix != ".toml":
        raise unknown("plan", reference, BUILTIN, UnknownPart)
    try:
        return _read(path.name, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadPlan(f"The plan {path} cannot be read ({error}): check the path.") from error


def _read(name: str, text: str) -> Plan:
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadPlan(f"The plan {name} is no TOML: {error}.") from error
    for key in told.keys() - {"rows", "limits", "check"}:
        raise BadPlan(f"The plan {name} has '{key}', but a plan has rows, limits and check alone.")
    rows, limits, tables = told.get("rows", 200), told.get("limits", {}), told.get("check", [])
    if type(rows) is not int or rows < 1:
        raise BadPlan(f"The plan {name} must take at least one row, but rows is {rows!r}.")
    if not isinstance(limits, dict) or not isinstance(tables, list) or not tables:
        raise BadPlan(f"The plan {name} must hold [limits] as a table, and at least one [[check]].")
    checks = tuple(_check(name, table) for table in tables)
    names = [check.name for check in checks]
    for twice in {one for one in names if names.count(one) > 1}:
        raise BadPlan(f"The plan {name} holds {twice} twice: leave one out.")
    # a union of attacks comes after all of them
    order = sorted(checks, key=lambda c: (STAGES.index(stage_of(c.name)), isinstance(c, Worst)))
    return Plan(
        name=name,
        rows=rows,
        limits=from_plain(Limits, limits),
        checks=tuple(order),
        digest=xxhash.xxh3_128_hexdigest(text.encode()),
    )


def _check(name: str, table: object) -> Check:
    kind = table.get("kind") if isinstance(table, dict) else None
    if not isinstance(table, dict) or not isinstance(kind, str):
        raise BadPlan(f"Each [[check]] of the plan {name} needs a kind: one of {', '.join(KINDS)}.")
    if kind not in KINDS:
        raise unknown("kind of check", kind, KINDS, UnknownPart)
    return from_plain(KINDS[kind], {key: told for key, told in table.items() if key != "kind"})

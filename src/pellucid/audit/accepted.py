"""Accepted findings: who bears which fault of which model, and until when.

They stand in a TOML file of tables like this one:

    [[accepted]]
    check = "falsify.square.linf"
    severity = "high"            # up to this level
    owner = "Ann Example"
    expires = 2030-01-31         # the last day
    reason = "The camera's inputs are not in an attacker's reach."
    model = "nets/signs.onnx"    # optional: for this model alone
"""

import datetime
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from pellucid.audit.finding import Finding
from pellucid.audit.severity import LEVELS, Level
from pellucid.errors import UserError
from pellucid.naming import unknown

Text = Annotated[str, Field(min_length=1)]


class BadAcceptance(UserError):
    """A file of accepted findings cannot be used as it stands."""


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """One finding that someone bears."""

    __pydantic_config__ = ConfigDict(extra="forbid", str_strip_whitespace=True)

    check: Text
    severity: Level  # a worse finding is not accepted
    owner: Text
    expires: Annotated[datetime.date, Field(strict=True)]  # the last day on which it holds
    reason: Text
    model: str | None = None  # its reference; None: any

    def covers(self, finding: Finding, model: str) -> bool:
        """Whether it is about this finding, whatever the day."""
        bad_enough = LEVELS.index(finding.severity) <= LEVELS.index(self.severity)
        return self.check == finding.check and self.model in (None, model) and bad_enough

    def __str__(self) -> str:
        return f"Accepted by {self.owner} until {self.expires}: {self.reason}"


_READER = TypeAdapter(dict[str, list[Acceptance]])


def read(path: str | Path, checks: Collection[str]) -> tuple[Acceptance, ...]:
    """The acceptances in a TOML file.

    Args:
        path: the file.
        checks: names of all checks that could be meant.

    Raises:
        BadAcceptance: there is no such file, it is no TOML, something is missing, misspelt or
            of the wrong kind.
        UnknownName: there is no check of that name.
    """
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        found = _READER.validate_python(table)
    except FileNotFoundError:
        raise BadAcceptance(f"There is no file at {path}: check the path.") from None
    except ValidationError as error:
        raise BadAcceptance(_sentence(path, error)) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadAcceptance(f"{path} cannot be read as TOML ({error}): mend it.") from error
    if found.keys() - {"accepted"}:
        name = min(found.keys() - {"accepted"})
        raise BadAcceptance(f"{path} has tables [[{name}]], which mean nothing: use [[accepted]].")
    accepted = tuple(found.get("accepted", ()))
    for one in accepted:
        if one.check not in checks:
            raise unknown("check", one.check, checks)
    return accepted


def _sentence(path: str | Path, error: ValidationError) -> str:
    first = error.errors()[0]
    _, *place = first["loc"]
    if not place or not isinstance(place[0], int):
        return f"{path} is no list of accepted findings: write [[accepted]] over each of them."
    about = ".".join([f"entry {place[0] + 1}", *map(str, place[1:])])
    return f"{path} cannot be used ({about}: {first['msg'].lower()}): mend it."


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Which findings are accepted today, and which would be had the date not passed."""

    accepted: dict[str, Acceptance]  # by check
    expired: dict[str, Acceptance]

    def open(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings that nobody bears."""
        return [finding for finding in findings if finding.check not in self.accepted]

    def reasons(self) -> dict[str, str]:
        """Why findings are accepted, by check, in a sentence."""
        return {check: str(one) for check, one in self.accepted.items()}

    def warnings(self) -> list[str]:
        """One sentence for each finding whose acceptance has run out."""
        return [
            f"{check} was accepted by {one.owner} until {one.expires}, which has passed: mend the "
            "model, or have it accepted anew."
            for check, one in self.expired.items()
        ]


def standing(
    acceptances: Sequence[Acceptance],
    findings: Sequence[Finding],
    *,
    model: str,
    today: datetime.date,
) -> Standing:
    """Which findings of a model are accepted on a day.

    A finding of severity none needs nobody to bear it. Of several acceptances of one finding the
    one that holds longest counts.
    """
    accepted, expired = {}, {}
    for finding in findings:
        meant = [one for one in acceptances if one.covers(finding, model)]
        if finding.severity == "none" or not meant:
            continue
        last = max(meant, key=lambda one: one.expires)
        (accepted if today <= last.expires else expired)[finding.check] = last
    return Standing(accepted=accepted, expired=expired)

"""One row under each common corruption, as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from pellucid.audit.finding import Finding, rows_of
from pellucid.audit.report import pictures
from pellucid.audit.report.reading import numeric, single
from pellucid.audit.report.subjects import Subjects
from pellucid.audit.report.words import number

CHECK = "clean.corruptions"


@dataclass(frozen=True, kw_only=True)
class Damaged:
    """A row under one corruption."""

    name: str
    said: str
    picture: str  # a data URI


def damaged(found: Sequence[Finding], subjects: Subjects) -> list[Damaged]:
    """The row as it stands, then under each corruption; none where they are not kept."""
    kept = subjects.arrays.get(CHECK, {}).get("example")
    one = next((each for each in found if each.check == CHECK), None)
    if one is None or kept is None or not pictures.is_picture(kept.shape[1:]):
        return []
    low, high = subjects.span
    before = subjects.before(int(numeric(single(one, "row"))))
    return [
        Damaged(
            name=_name(str(told["corruption"]), numeric(told["strength"])),
            said=before if told["said"] is None else str(told["said"]),
            picture=pictures.picture(image, low, high),
        )
        for told, image in zip(rows_of(one, "examples"), kept, strict=False)
    ]


def _name(corruption: str, strength: float) -> str:
    return f"{corruption} {number(strength)}" if strength else "as it stands"

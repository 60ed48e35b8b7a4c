"""A mapping: how a plain JSON endpoint is asked, and where its answers stand."""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pellucid.errors import UserError
from pellucid.methods import from_plain
from pellucid.remote.faults import BadEndpoint
from pellucid.remote.plain import plain
from pellucid.remote.pointer import placed, steps

PATH = re.compile(r"(/[A-Za-z0-9._~:-]+)*/?")


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """Where the rows of a question and the numbers of an answer stand, as JSON Pointers."""

    method: Literal["POST", "PUT"] = "POST"
    path: str = ""  # follows the address
    batch: bool = True  # whether a request carries many rows; else each carries one
    rows: str = ""  # in the body of a request: the list of rows, or the one row
    row: str = ""  # in the item of a row: its numbers
    answers: str = ""  # in the answer: the list of an item a row, or the item of the one row
    scores: str | None = None  # in the item of a row: a list of scores, an object by name, a number
    label: str | None = None  # in the item of a row, instead: what the model decided
    labels: tuple[str, ...] | None = None  # the names of the classes, in the order of their numbers
    body: dict[str, object] = field(default_factory=dict)  # what else stands in every request

    def __post_init__(self) -> None:
        if not PATH.fullmatch(self.path) or ".." in self.path.split("/"):
            raise BadEndpoint(
                f"'{plain(self.path)}' is no path to follow an address: give one such as /predict, "
                "without a ? or a #."
            )
        for pointer in (self.rows, self.row, self.answers, self.scores or "", self.label or ""):
            steps(pointer)
        if (self.scores is None) == (self.label is None):
            raise BadEndpoint(
                "A mapping says where the scores stand in the item of a row, or where the label "
                'does, and not both: give scores = "/..." or label = "/...".'
            )
        placed(self.body, self.rows, None)


def read(path: Path) -> Mapping:
    """The mapping in a TOML file.

    Raises:
        BadEndpoint: there is no such file, it is no TOML, or no mapping.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadEndpoint(f"There is no mapping at {path}: check the path.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadEndpoint(f"{path} cannot be read as TOML ({error}): mend it.") from error
    try:
        return from_plain(Mapping, table)
    except UserError as error:
        raise BadEndpoint(f"In {path}: {error}") from error

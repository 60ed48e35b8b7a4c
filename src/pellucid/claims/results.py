"""Results: what a claim measured, as a value and as a file that is committed."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pellucid.claims.claim import Digests
from pellucid.claims.relation import Relation
from pellucid.errors import UserError
from pellucid.files import write_whole

SCHEMA = 1  # of the file; another number is refused
FOLDER = Path(__file__).parent / "results"  # where `make claims` commits them


class BadResult(UserError):
    """A result that cannot be read, or must not be committed."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """A claim as it was measured."""

    slug: str
    title: str
    holds: bool | None  # all required relations do; None: not known, as in a quick run
    quick: bool
    relations: tuple[Relation, ...]
    seeds: tuple[int, ...]
    seconds: tuple[float, ...]  # wall clock, a seed each
    versions: dict[str, str]
    machine: dict[str, str | int]
    hashes: dict[str, Digests]  # of "method", "claim", "recipe" and "data"

    def to_json(self) -> str:
        """One line of strict JSON; `from_json` gives an equal result."""
        return json.dumps({"schema": SCHEMA} | asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "Result":
        """Read what `to_json` wrote, whatever its white space.

        Raises:
            BadResult: not JSON, of another schema, or with other fields.
        """
        try:
            facts = json.loads(text)
            schema = facts.pop("schema")
            if schema != SCHEMA:
                raise BadResult(f"It has schema {schema}, not {SCHEMA}: run the claim again.")
            relations = tuple(_relation(relation) for relation in facts.pop("relations"))
            seeds, seconds = tuple(facts.pop("seeds")), tuple(facts.pop("seconds"))
            return cls(relations=relations, seeds=seeds, seconds=seconds, **facts)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadResult(
                f"It is no result of a claim ({error}): run the claim again."
            ) from error


def verdict(relations: tuple[Relation, ...]) -> bool | None:
    """False when a required relation fails, else None when one is undecided or none is there."""
    required = [relation.holds for relation in relations if relation.required]
    if False in required:
        return False
    return None if None in required or not required else True


def read_result(slug: str, folder: Path = FOLDER) -> Result | None:
    """The committed result of a claim, or None where there is none.

    Raises:
        BadResult: there is a file, and it cannot be read.
    """
    path = folder / f"{slug}.json"
    if not path.exists():
        return None
    try:
        return Result.from_json(path.read_text(encoding="utf-8"))
    except BadResult as error:
        raise BadResult(f"{path} cannot be read. {error}") from error


def write_result(result: Result, folder: Path = FOLDER) -> Path:
    """Write SLUG.json, a relation and a fact a line so that diffs can be read.

    Raises:
        BadResult: a quick run, which decides nothing.
    """
    if result.quick:
        raise BadResult(f"The quick run of '{result.slug}' decides nothing: run it in full.")
    facts = json.loads(result.to_json())
    relations = ",\n    ".join(json.dumps(relation) for relation in facts["relations"])
    lines = {key: json.dumps(value) for key, value in facts.items()}
    lines["relations"] = f"[\n    {relations}\n  ]"
    path = folder / f"{result.slug}.json"
    write_whole(
        path, "{\n" + ",\n".join(f'  "{key}": {line}' for key, line in lines.items()) + "\n}\n"
    )
    return path


def _relation(facts: dict) -> Relation:
    sides = {side: _tuples(facts.pop(side)) for side in ("ours", "theirs", "interval")}
    return Relation(**sides, **facts)


def _tuples(value: list | float | int | None) -> tuple | float | int | None:
    """JSON has lists where a frozen value has tuples."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value

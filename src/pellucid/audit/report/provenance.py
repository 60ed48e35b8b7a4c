"""What was tested with what, so that another audit can come to the same findings."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace

from pellucid.audit.document import BLANK, Audit
from pellucid.audit.report.words import number, spaced

Facts = list[tuple[str, str]]

RUN = ("started", "seconds", "finished", "seed", "budget", "allowed_seconds", "opening")
PARTS = ("model", "data", "plan", "limits", "versions", "machine")


def provenance(audit: Audit) -> dict[str, Facts]:
    """Names and texts by heading."""
    told = asdict(replace(audit, findings=(), summary=BLANK))
    classes = told["data"].pop("class_names")
    told["data"]["classes"] = len(classes)
    return {
        "Run": [(spaced(key), _text(told[key])) for key in RUN],
        **{name.capitalize(): list(_facts(told[name])) for name in PARTS},
    }


def _facts(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """A line for each value; of a mapping of mappings one for each of these."""
    for key, value in values.items():
        match value:
            case dict() if any(isinstance(each, dict) for each in value.values()):
                yield from ((f"{spaced(key)}: {spaced(k)}", _text(v)) for k, v in value.items())
            case _:
                yield spaced(key), _text(value)


def _text(value: object) -> str:
    match value:
        case dict():
            return ", ".join(f"{spaced(k)} {_text(v)}" for k, v in value.items()) or "none"
        case list() | tuple():
            return ", ".join(map(_text, value)) or "none"
        case bool() | float() | str():
            return number(value)
        case None:
            return "none"
        case _:
            return str(value)

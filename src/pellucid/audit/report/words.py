"""How the report writes numbers and names."""

import re

from pellucid import systems
from pellucid.audit.finding import Figure

UNKNOWN = "n/a"
NORMS = {"linf": "Linf", "l2": "L2", "l1": "L1", "l0": "L0"}
TITLES = {
    "clean.accuracy": "Accuracy",
    "clean.classes": "Accuracy by class",
    "clean.slices": "Accuracy by slice",
    "clean.calibration": "Calibration",
    "clean.corruptions": "Common corruptions",
}
NO_ROW = {"worst": "All attacks together", "strongest": "Strongest attack known here"}
USERINFO = re.compile(r"//[^/@\s]*@")
QUERY = re.compile(r"(https?://[^\s?#]*)[?#]\S*")


def percent(share: Figure) -> str:
    """A share as a percentage."""
    return f"{share:.1%}" if isinstance(share, float | int) else UNKNOWN


def number(value: Figure) -> str:
    """A value for people: whole numbers in full, others to three digits."""
    match value:
        case None:
            return UNKNOWN
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
        case str():
            return value


def interval(low: Figure, high: Figure) -> str:
    """The two ends of an interval of shares."""
    return UNKNOWN if low is None or high is None else f"{percent(low)[:-1]} to {percent(high)}"


def counted(count: int, one: str, many: str = "") -> str:
    """A count with its noun, such as "1 check" or "1,000 checks"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def norm(name: Figure) -> str:
    """A norm as the field writes it."""
    return NORMS.get(str(name), str(name))


def system(slug: str) -> str:
    """The title of a method, or of what a check calls so."""
    titles = (row.title for row in systems.SYSTEMS if row.slug == slug)
    return next(titles, NO_ROW.get(slug, slug))


def title(check: str) -> str:
    """What a check is called in headings and legends."""
    if check in TITLES:
        return TITLES[check]
    stage, _, rest = check.partition(".")
    if not rest:
        return spaced(check)
    name, _, ball = rest.partition(".")
    known = {"falsify": system(name)}
    known |= {"explain": system(name), "prove": "CROWN" if name == "crown" else name}
    told = known.get(stage, rest.replace(".", " "))
    return f"{told}, {norm(ball)}" if ball and stage in known else told


def spaced(name: str) -> str:
    """A figure's name in plain words."""
    return name.replace("_", " ")


def discreet(text: str) -> str:
    """A text in which no URL carries credentials, a query or a fragment."""
    return QUERY.sub(r"\1", USERINFO.sub("//", text))

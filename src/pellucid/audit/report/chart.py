"""What a figure of the report is: traces for plotly, and the same numbers as a table."""

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from pellucid.audit.finding import Figure
from pellucid.audit.report.words import interval, number, percent

Trace = dict[str, object]  # as plotly wants it

WIDE = 26  # characters in a line of a name
BAR = "var(--bar)"  # pale enough for whiskers to be seen on it
SERIES = 8  # colours that can be told apart; the style sheet names them --series-1 and so on
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "5px,2px", "1px,4px")
MARKS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "triangle-down")


@dataclass(frozen=True, kw_only=True)
class Table:
    """Numbers as words; the first cell of a line is its heading."""

    caption: str
    head: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    note: str = ""  # what was left out


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One figure."""

    slug: str  # unique on the page
    title: str
    caption: str  # how to read it
    traces: tuple[Trace, ...]
    x: Trace  # the axes, in plotly's terms
    y: Trace
    table: Table
    height: int = 360  # pixels

    @property
    def plot(self) -> str:
        """What the page's script hands to plotly, as JSON that no markup can end."""
        layout = {"xaxis": self.x, "yaxis": self.y, "height": self.height}
        return safe_json({"traces": self.traces, "layout": layout})


def safe_json(value: object) -> str:
    """JSON in which nothing can close a script element or begin markup."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"), default=list)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def plain(text: str) -> str:
    """A text that plotly, which reads some tags and entities, shows as it stands."""
    return html.escape(text, quote=False)


def colour(i: int) -> str:
    """The colour of the i-th series, which the page's script looks up in the style sheet."""
    return f"var(--series-{i % SERIES + 1})"


def categories(names: Sequence[str]) -> Trace:
    """An axis of names from top to bottom, in lines that leave room for the bars."""
    return {
        "type": "category",
        "autorange": "reversed",
        "automargin": True,
        "tickvals": [plain(name) for name in names],
        "ticktext": ["<br>".join(map(plain, _broken(name))) for name in names],
    }


def tall(names: Sequence[str]) -> int:
    """Pixels that bars with these names need."""
    return 110 + sum(max(26, 12 + 16 * len(_broken(name))) for name in names)


def _broken(name: str) -> list[str]:
    return wrap(name, WIDE, max_lines=3)


def shares(title: str) -> Trace:
    """An axis of shares from none to all."""
    return {"title": {"text": title}, "range": [-0.02, 1.02], "tickformat": ".0%"}


def line(
    i: int,
    name: str,
    x: Sequence[Figure],
    y: Sequence[Figure],
    low: Sequence[Figure] = (),
    high: Sequence[Figure] = (),
    *,
    steps: bool = False,
    what: str = "epsilon",
) -> tuple[Trace, ...]:
    """The i-th series of a figure, in front of its interval if there is one.

    Args:
        i: its place, which is its colour, dash and mark.
        name: as the legend says.
        x: where it stands.
        y: shares.
        low: the interval's lower ends.
        high: the interval's upper ends.
        steps: whether the share keeps its value until the next x.
        what: what x is, for the label of a point.
    """
    shape = "hv" if steps else "linear"
    told = labels(name, what, x, y, low, high)
    drawn: Trace = {
        "type": "scatter",
        "mode": "lines" if steps else "lines+markers",
        "name": plain(name),
        "legendgroup": str(i),
        "x": list(x),
        "y": list(y),
        "text": told,
        "hovertemplate": "%{text}<extra></extra>",
        "line": {"shape": shape, "width": 2, "dash": DASHES[i % SERIES], "color": colour(i)},
        "marker": {"size": 7, "symbol": MARKS[i % SERIES], "color": colour(i)},
    }
    if not low:
        return (drawn,)
    band: Trace = {
        "type": "scatter",
        "mode": "lines",
        "legendgroup": str(i),
        "showlegend": False,
        "hoverinfo": "skip",
        "x": [*x, *reversed(x)],
        "y": [*high, *reversed(low)],
        "line": {"width": 0, "shape": shape},
        "fill": "toself",
        "fillcolor": f"var(--band-{i % SERIES + 1})",
    }
    if steps:  # going back, a step must be taken at the same x
        band["line"] = {"width": 0}
        band["x"], band["y"] = _outline(x, low, high)
    return (band, drawn)


def points(
    i: int,
    name: str,
    x: Sequence[Figure],
    y: Sequence[Figure],
    low: Sequence[Figure],
    high: Sequence[Figure],
) -> Trace:
    """The i-th series of a figure as points with whiskers, between which nothing is claimed."""
    (drawn,) = line(i, name, x, y)
    told = labels(name, "epsilon", x, y, low, high)
    size: Trace = {"size": 9, "symbol": MARKS[i % SERIES], "color": colour(i)}
    whiskers = _whiskers(y, low, high, colour(i))
    return drawn | {"mode": "markers", "text": told, "marker": size, "error_y": whiskers}


def _outline(
    x: Sequence[Figure], low: Sequence[Figure], high: Sequence[Figure]
) -> tuple[list[Figure], list[Figure]]:
    """The corners of a band of steps, forth along its upper and back along its lower end."""
    where = [x[0], *(a for a in x[1:] for _ in range(2))]
    upper = [*(b for b in high[:-1] for _ in range(2)), high[-1]]
    lower = [*(b for b in low[:-1] for _ in range(2)), low[-1]]
    return [*where, *reversed(where)], [*upper, *reversed(lower)]


def labels(
    name: str,
    what: str,
    x: Sequence[Figure],
    y: Sequence[Figure],
    low: Sequence[Figure],
    high: Sequence[Figure],
) -> list[str]:
    """What a pointer over each point of a series is told."""
    head = f"{plain(name)}<br>{plain(what)} "
    told = [f"{head}{number(a)}: {percent(b)}" for a, b in zip(x, y, strict=True)]
    if not low:
        return told
    ends = zip(told, low, high, strict=True)
    return [f"{text} ({interval(a, b)})" for text, a, b in ends]


def bars(
    names: Sequence[str],
    y: Sequence[Figure],
    low: Sequence[Figure],
    high: Sequence[Figure],
    said: Sequence[str],
) -> Trace:
    """Lying bars of shares with intervals, the first at the top."""
    return {
        "type": "bar",
        "orientation": "h",
        "showlegend": False,
        "x": list(y),
        "y": [plain(name) for name in names],
        "text": [plain(text) for text in said],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": BAR},
        "error_x": _whiskers(y, low, high, "var(--ink)"),
    }


def _whiskers(
    y: Sequence[Figure], low: Sequence[Figure], high: Sequence[Figure], colour: str
) -> Trace:
    return {
        "type": "data",
        "symmetric": False,
        "array": _beyond(high, y),
        "arrayminus": _beyond(y, low),
        "color": colour,
        "thickness": 1.4,
        "width": 3,
    }


def _beyond(far: Sequence[Figure], near: Sequence[Figure]) -> list[Figure]:
    """How far an interval reaches beyond its share; 0 where one of the two is not known."""
    pairs = zip(far, near, strict=True)
    return [
        a - b if isinstance(a, float | int) and isinstance(b, float | int) else 0 for a, b in pairs
    ]

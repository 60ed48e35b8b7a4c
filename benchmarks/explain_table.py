"""The explain family: processes into figures a tool, figures into bars and Markdown."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks import explain
from benchmarks.explain import OURS, Answered, Study
from benchmarks.explain_studies import STUDIES
from benchmarks.explain_worker import correlation
from benchmarks.family import Family, Json, Say
from benchmarks.table import Bar, Spread, grid, promises

FOREWORD = """# Explanation, beside the peers

<!-- Written by `python -m benchmarks explain`; do not edit. -->

Every study gives the same network, test images, parameters and budget of model calls to every tool;
what is explained is the class that the network sees. Each tool runs in a process and an environment
of its own, on one thread, in rounds with other seeds, the processes taking turns. Figures are
medians over rounds, the least and the greatest in brackets. Where nothing else is said, there are
100 images of Fashion-MNIST, given all at once, and the network has 206,922 weights; at the size of
CIFAR-10 it has 620,362. Each study says when and on what it was measured; other work shared the
cores, so seconds are to be read beside those of the same table, and CPU over raw model time is what
compares. `benchmarks/README.md` says how each column is measured.
"""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One tool's line of a table, or one size's."""

    tool: str
    queries: Spread  # a row
    gradients: Spread  # a row
    calls: Spread
    largest_call: int
    overhead: Spread
    cpu_seconds: Spread
    peak_mb: Spread
    grown_mb: Spread  # of that, since the network and the images were there
    arrays_mb: float  # the images and what is said of them
    difference: Spread | None  # the largest from ours, over the largest value of ours
    correlated: Spread | None  # with ours, the median row
    halves: Spread | None  # correlation of two half budgets, the median row


def spread(values: Sequence[float | None]) -> Spread | None:
    known = [value for value in values if value is not None]
    return Spread.of(known) if known else None


def line(study: Study, rounds: Sequence[Answered], ours: Sequence[Answered]) -> Line:
    told = [one.told for one in rounds]
    pairs = [] if rounds[0] is ours[0] else list(zip(rounds, ours, strict=True))

    def told_spread(name: str) -> Spread:
        return Spread.of([one[name] for one in told])

    apart = [float((a.values - b.values).abs().max() / b.values.abs().max()) for a, b in pairs]
    return Line(
        tool=rounds[0].tool,
        queries=Spread.of([one["queries"] / one["rows"] for one in told]),
        gradients=Spread.of([one["gradients"] / one["rows"] for one in told]),
        calls=told_spread("calls"),
        largest_call=max(one["largest_call"] for one in told),
        overhead=told_spread("overhead"),
        cpu_seconds=told_spread("cpu_seconds"),
        peak_mb=told_spread("peak_mb"),
        grown_mb=Spread.of([one["peak_mb"] - one["resting_mb"] for one in told]),
        arrays_mb=told[0]["arrays_mb"],
        difference=None if study.job.sampled else spread(apart),
        correlated=spread([correlation(a.values, b.values) for a, b in pairs]),
        halves=spread([one["halves"] for one in told]),
    )


def bars(study: Study, table: Sequence[Line]) -> list[Bar]:
    """What the project promises of this study, if anything."""
    if study.limit is None:
        return []
    if not study.sizes:
        measured = table[0].overhead.median
        return [Bar(text="CPU over raw model time", measured=measured, limit=study.limit)]
    rest = [one.peak_mb.median - one.arrays_mb for one in table]
    text = "peak memory less images and answers, largest over smallest"
    return [Bar(text=text, measured=max(rest) / min(rest), limit=study.limit)]


def measure(study: Study, rounds: int, say: Say) -> Json:
    """Everything of a study that is kept: figures, bars, and each process's own."""
    found = explain.run(study, rounds, say)
    by_name = {name: [one for one in found if one.tool == name] for name in names(study)}
    ours = by_name[names(study)[0]]
    table = [line(study, mine, mine if study.sizes else ours) for mine in by_name.values()]
    versions = {
        name: number
        for one in found
        for name, number in one.told["versions"].items()
        if name not in ("torch", "numpy")
    }
    return {
        "job": asdict(study.job),
        "note": study.note,
        "sizes": list(study.sizes),
        "versions": versions,
        "lines": [asdict(one) for one in table],
        "bars": [asdict(bar) for bar in bars(study, table)],
        "processes": [{"tool": one.tool, **one.told} for one in found],
    }


def names(study: Study) -> list[str]:
    return [name for name, *_ in explain.entries(study)]


def text(kept: Json, name: str, digits: int, factor: float = 1) -> str:
    """A spread of a line, or a dash."""
    return "-" if kept[name] is None else Spread.read(kept[name]).scaled(factor).text(digits)


def compared(kept: Json) -> str:
    """The table of the tools."""
    sampled = kept["job"]["sampled"]
    head = (
        "Tool",
        "Queries a row",
        "Gradients a row",
        "Calls",
        "Largest call",
        "CPU over raw model time",
        "CPU, s",
        "Peak memory, MB",
        *(
            (f"r with {OURS.name}", "r of two half budgets")
            if sampled
            else (
                f"r with {OURS.name}",
                f"Largest difference from {OURS.name}, % of the largest value",
            )
        ),
    )
    return grid([head, *(columns(one, sampled) for one in kept["lines"])])


def columns(one: Json, sampled: bool) -> tuple[str, ...]:
    said = (
        (text(one, "correlated", 3), text(one, "halves", 3))
        if sampled
        else (text(one, "correlated", 3), text(one, "difference", 4, 100))
    )
    return (
        one["tool"],
        text(one, "queries", 0),
        text(one, "gradients", 0),
        text(one, "calls", 0),
        f"{one['largest_call']:,}",
        text(one, "overhead", 2),
        text(one, "cpu_seconds", 2),
        text(one, "peak_mb", 0),
        *said,
    )


def sized(kept: Json) -> str:
    """The table of memory by rows."""
    head = (
        "Pellucid on",
        "Queries a row",
        "Peak memory, MB",
        "Images and answers, MB",
        "Peak less those, MB",
        "Grown since loading, MB",
        "CPU, s",
    )
    rows = [
        (
            one["tool"],
            text(one, "queries", 0),
            text(one, "peak_mb", 0),
            f"{one['arrays_mb']:.1f}",
            f"{one['peak_mb']['median'] - one['arrays_mb']:.0f}",
            text(one, "grown_mb", 0),
            text(one, "cpu_seconds", 1),
        )
        for one in kept["lines"]
    ]
    return grid([head, *rows])


def section(kept: Json) -> str:
    """What is kept of a study as Markdown."""
    parts = [kept["note"], sized(kept) if kept["sizes"] else compared(kept)]
    if kept["bars"]:
        parts.append(promises([Bar(**one) for one in kept["bars"]]))
    return "\n\n".join(part for part in parts if part)


FAMILY = Family(
    name="explain", foreword=FOREWORD, studies=STUDIES, measure=measure, section=section
)

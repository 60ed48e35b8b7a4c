"""The evade family: processes into figures a tool, figures into comparisons, bars and Markdown."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace

from benchmarks import evade
from benchmarks.evade import OURS, Study
from benchmarks.evade_pairs import Pair, paired, paired_table
from benchmarks.evade_studies import STUDIES
from benchmarks.family import Family, Json, Say
from benchmarks.processes import Measured
from benchmarks.table import Bar, Spread, grid, promises

FOREWORD = """# Evasion, beside the peers

<!-- Written by `python -m benchmarks evade`; do not edit. -->

Every study gives the same Fashion-MNIST images (100 of them, or as many as it says), the same
network (206,922 weights) and the same start points to every tool, and about the same budget. Each
tool runs in a process and an environment of its own, on one thread, in rounds with other seeds, the
processes taking turns. Figures are medians over rounds, the least and the greatest in brackets.
Success and distances are the parent's, from a clean forward pass of its own. Each study says when
and on what it was measured; other work shared the cores, so seconds are to be read beside those of
the same table, and CPU over raw model time is what compares.
`benchmarks/README.md` says how each column is measured.
"""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One tool's line of a table."""

    tool: str
    largest_call: int
    success: Spread  # share of rows
    distance: Spread  # median over rows
    queries: Spread  # a row
    gradients: Spread  # a row
    calls: Spread
    overhead: Spread
    outside: Spread  # share of CPU time spent outside the network
    cpu_seconds: Spread
    wall_seconds: Spread
    peak_mb: Spread

    @classmethod
    def read(cls, kept: Json) -> "Line":
        plain: Json = {name: kept[name] for name in ("tool", "largest_call")}
        names = (field.name for field in fields(cls) if field.name not in plain)
        spreads: Json = {name: Spread.read(kept[name]) for name in names}
        return cls(**plain, **spreads)


def line(tool: str, rounds: Sequence[Measured]) -> Line:
    told = [one.told for one in rounds]

    def spread(name: str) -> Spread:
        return Spread.of([one[name] for one in told])

    return Line(
        tool=tool,
        largest_call=max(one["largest_call"] for one in told),
        success=Spread.of([float(one.success.double().mean()) for one in rounds]),
        distance=Spread.of([float(one.distance.median()) for one in rounds]),
        queries=Spread.of([one["queries"] / one["rows"] for one in told]),
        gradients=Spread.of([one["gradients"] / one["rows"] for one in told]),
        calls=spread("calls"),
        overhead=spread("overhead"),
        outside=Spread.of([1 - one["model_seconds"] / one["last_cpu_seconds"] for one in told]),
        cpu_seconds=spread("cpu_seconds"),
        wall_seconds=spread("wall_seconds"),
        peak_mb=spread("peak_mb"),
    )


def spine(found: Sequence[Measured]) -> Spread:
    """The share of our CPU time that is neither in the network nor in the method."""
    told = [one.told for one in found if one.tool == OURS.name]
    shares = [
        1 - (one["model_seconds"] + one["method_seconds"]) / one["last_cpu_seconds"] for one in told
    ]
    return Spread.of(shares)


def bars(study: Study, table: Sequence[Line], pairs: Sequence[Pair], rest: Spread) -> list[Bar]:
    """What the project promises of this study, if anything."""
    ours = table[0]
    overhead = Bar(text="CPU over raw model time", measured=ours.overhead.median, limit=1.10)
    queries = Bar(
        text="queries a row, the judge's included",
        measured=ours.queries.high,
        limit=study.job.budget + 2,  # one about the image itself, one about the last iterate
    )
    if study.slug == "hopskipjump":
        best = min(table[1:], key=lambda one: one.distance.median).tool
        ratio = next(pair for pair in pairs if pair.rival == best).first.estimate
        return [
            Bar(text="calls to the model", measured=ours.calls.high, limit=400),
            Bar(text="largest call, inputs", measured=ours.largest_call, limit=1000),
            Bar(text=f"median L2 over that of {best}, paired", measured=ratio, limit=1.02),
            Bar(text="CPU over raw model time", measured=ours.overhead.median, limit=1.30),
            Bar(text="the spine's share of CPU time", measured=rest.median, limit=0.06),
        ]
    if study.slug == "pma-plus":
        passes = [one.queries.median + one.gradients.median for one in table]
        worse = Bar(
            text="points of robust accuracy above AutoAttack's, at most",
            measured=-100 * pairs[0].first.low,
            limit=0.5,
        )
        asked = Bar(text="passes over AutoAttack's", measured=passes[0] / passes[1], limit=0.5)
        return [worse, asked, replace(overhead, limit=1.20)]
    if study.slug == "cgba":
        foolbox, art = (one.calls.median for one in table[1:])
        return [
            Bar(text="calls over foolbox's", measured=ours.calls.high / foolbox, limit=1 / 5),
            Bar(text="calls over ART's", measured=ours.calls.high / art, limit=1 / 40),
            replace(overhead, limit=1.20),
        ]
    return {
        "pgd-hopeless": [overhead],
        "apgd-hopeless": [queries, overhead],
        "square": [queries],
        "square-hopeless": [queries, overhead],
        "square-l2-hopeless": [queries, overhead],
    }.get(study.slug, [])


def columns(one: Line, digits: int) -> tuple[str, ...]:
    return (
        one.tool,
        one.success.scaled(100).text(0),
        one.distance.text(digits),
        one.queries.text(0),
        one.gradients.text(0),
        one.calls.text(0),
        f"{one.largest_call:,}",
        one.overhead.text(2),
        one.outside.scaled(100).text(1),
        one.cpu_seconds.text(2),
        one.wall_seconds.text(2),
        one.peak_mb.text(0),
    )


def section(kept: Json) -> str:
    """The table of a study, the paired figures, and the bars, as Markdown."""
    norm = kept["job"]["norm"]
    head = (
        "Tool",
        "Success, %",
        f"Median {norm.capitalize()}",
        "Queries a row",
        "Gradients a row",
        "Calls",
        "Largest pass",
        "CPU over raw model time",
        "CPU outside the network, %",
        "CPU, s",
        "Wall, s",
        "Peak memory, MB",
    )
    lines = [Line.read(one) for one in kept["lines"]]
    parts = [
        kept["note"],
        grid([head, *(columns(one, 4 if norm == "linf" else 3) for one in lines)]),
        f"Of Pellucid's CPU time {Spread.read(kept['spine']).scaled(100).text(1)} % is the spine: "
        "what is neither the network nor the method's own arithmetic.",
        paired_table([Pair.read(one) for one in kept["paired"]]),
    ]
    if kept["bars"]:
        parts.append(promises([Bar(**one) for one in kept["bars"]]))
    return "\n\n".join(part for part in parts if part)


def measure(study: Study, rounds: int, say: Say) -> Json:
    """Everything of a study that is kept: figures, comparisons, bars, and each process's own."""
    found = evade.run(study, rounds, say)
    table = [
        line(tool.name, [one for one in found if one.tool == tool.name]) for tool in study.tools
    ]
    pairs, rest = paired(study, found), spine(found)
    versions = {name: value for one in found for name, value in one.told["versions"].items()}
    return {
        "job": vars(study.job),
        "subject": study.subject,
        "note": study.note,
        "versions": {n: v for n, v in versions.items() if n not in ("torch", "numpy")},
        "lines": [asdict(one) for one in table],
        "spine": asdict(rest),
        "paired": [asdict(pair) for pair in pairs],
        "bars": [asdict(bar) for bar in bars(study, table, pairs, rest)],
        "processes": [
            {
                "tool": one.tool,
                **one.told,
                "success": one.success.tolist(),
                "distance": one.distance.tolist(),
            }
            for one in found
        ],
    }


FAMILY = Family(name="evade", foreword=FOREWORD, studies=STUDIES, measure=measure, section=section)

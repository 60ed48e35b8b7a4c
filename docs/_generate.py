"""A hook of mkdocs: writes the pages that are made from the code, so that they cannot go stale."""

import json
from pathlib import Path

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from typer.testing import CliRunner

from pellucid.audit.document import schema
from pellucid.claims.relation import Relation
from pellucid.claims.results import Result, read_result
from pellucid.cli._source import read
from pellucid.cli._standing import standing
from pellucid.cli.main import app
from pellucid.systems import SYSTEMS, Row

ROOT = Path(__file__).resolve().parents[1]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Close the navigation with the decisions, as many as there are."""
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    decisions = ["decisions/README.md", *(f"decisions/{page.name}" for page in pages)]
    config.nav = [*(config.nav or ()), {"Decisions": decisions}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that have no file below docs/."""
    pages = {
        "catalogue.md": catalogue(),
        "claims.md": claims(),
        "cli.md": commands(),
        "subjects.md": subjects(),
        "transfer.md": transfer(),
        "contributing.md": (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
        "audit.schema.json": json.dumps(schema(), indent=2) + "\n",
    }
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def catalogue() -> str:
    """Every row of the table of systems: an overview, then a section each."""
    cells = [
        (f"[{row.title}](#{row.slug})", row.kind, row.sort, row.modality, standing(row))
        for row in SYSTEMS
    ]
    overview = table(("System", "Kind", "Sort", "For", "Claim"), cells)
    return "\n\n".join(("# Catalogue", overview, *map(system, SYSTEMS)))


def system(row: Row) -> str:
    """What `pellucid show` and `pellucid cite` print."""
    method = read(row)
    described = [
        (
            f"`{field.name}`",
            f"`{field.type}`",
            "none: give one" if field.default is None else f"`{field.default}`",
            field.comment.replace("|", "\\|"),
        )
        for field in method.fields
    ]
    return "\n\n".join(
        (
            f"## {row.title} {{#{row.slug}}}",
            f"`{row.package}.{row.where.replace(':', '.')}`",
            fenced("text", method.docstring),
            table(("Field", "Type", "Default", "Meaning"), described),
            fenced("bibtex", row.bibtex()),
        )
    )


def commands() -> str:
    """The help of every command, as the terminal prints it."""
    names = typer.main.get_group(app).commands
    parts = ["# Commands", fenced("text", help_of())]
    for name in names:
        parts += [f"## pellucid {name}", fenced("text", help_of(name))]
    return "\n\n".join(parts)


def help_of(*command: str) -> str:
    """What `pellucid COMMAND --help` prints."""
    result = CliRunner().invoke(app, [*command, "--help"], prog_name="pellucid")
    return result.stdout.strip()


def claims() -> str:
    """Every claim: what was said, and what was measured."""
    claimed = [row for row in SYSTEMS if row.claim]
    said = "What is said of methods, as programs, and what `make claims` has measured."
    return "\n\n".join(("# Claims", said, *map(claim, claimed)))


def claim(row: Row) -> str:
    """One claim and, if it was measured, its relations."""
    result = read_result(row.slug)
    head = f"## {row.title}\n\n**{standing(row).capitalize()}.**"
    return head if result is None else f"{head}\n\n{measured(row, result)}"


def measured(row: Row, result: Result) -> str:
    """The relations of a result, what they mean, and how it was made."""
    relations = table(
        ("Relation", "Estimate", "Interval", "Threshold", "Required", "Holds"),
        [cells(relation) for relation in result.relations],
    )
    meanings = "\n".join(f"- `{one.name}`: {one.meaning}" for one in result.relations)
    made = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    where = f"{result.machine['cpu']} ({result.machine['cores']} cores)"
    again = (
        f"{sum(result.seconds):.0f} seconds on {where} with {made}. "
        f"Run it: `pellucid reproduce {row.slug}`."
    )
    return f"{result.title}\n\n{relations}\n\n{meanings}\n\n{again}"


def cells(relation: Relation) -> tuple[str, ...]:
    """One row of the table of relations."""
    low, high = (number(bound) for bound in relation.interval)
    return (
        f"`{relation.name}`",
        number(relation.estimate),
        f"{low} to {high}",
        relation.threshold,
        word(relation.required),
        word(relation.holds),
    )


def subjects() -> str:
    """The networks that claims and tests are measured on, as scripts/measure_subjects.py found."""
    made = json.loads((ROOT / "docs" / "subjects.json").read_text(encoding="utf-8"))
    head = ("Subject", "Data", "Weights", "Trainer", "Accuracy", "Radius", "PGD", "APGD", "Seconds")
    cells = [
        (
            f"`{one['name']}`",
            f"`{one['data']}`",
            f"{one['weights']:,}",
            one["trainer"].partition("(")[0],
            f"{one['accuracy']:.1%}",
            f"{one['radius']:.3g}",
            f"{one['pgd']:.1%}",
            f"{one['apgd']:.1%}",
            f"{one['seconds']:.0f}",
        )
        for one in made
    ]
    said = (
        "Small networks that claims, tests and benchmarks share, made by the recipes of "
        "`pellucid.claims.subjects` and here measured with seed 0. "
        '`recipe("digits-cnn-hardened").build()` trains one on one thread, and keeps it in the '
        "cache under a hash of all that decides its weights."
    )
    notes = (
        "Accuracy is that on the whole test split. PGD (20 steps) and APGD (cross-entropy, 50 "
        f"steps) say what share of the first {made[0]['attacked']} test rows is still right when "
        "every value may move by the radius (Linf). Seconds are those of the training, on a "
        "machine that did other work beside it. `scripts/measure_subjects.py` writes the figures; "
        "[subjects.json](subjects.json) has them with the recipes in full."
    )
    return "\n\n".join(("# Subjects", said, table(head, cells), notes))


def transfer() -> str:
    """Surrogates by victims, as scripts/measure_transfer.py found them: a table as a heat map."""
    made = json.loads((ROOT / "docs" / "transfer.json").read_text(encoding="utf-8"))
    head = ("Made by", "On", *made["victims"])
    cells = [
        (f"`{line['method']}`", line["surrogates"], *map(heat, line["rates"]))
        for line in made["lines"]
    ]
    said = (
        "Which attacks pass from surrogates to victims that are never asked: the share of "
        f"{made['rows']} images of `{made['data']}`, all of which every victim gets right, that "
        f"mislead each victim (Linf, radius {made['radius']:.3g})."
    )
    notes = (
        "The networks are those of the claims of AdaEA and CWA: small, trained on 5,000 images "
        "with seed 0 (surrogates) and 50 (victims), the hardened ones against 4/255. The darker a "
        "cell, the more images pass. `pellucid.attack.transfer.transfer_matrix` makes such a table "
        "of any models, `scripts/measure_transfer.py` made this one."
    )
    return "\n\n".join(("# Transfer", said, table(head, cells), notes))


def heat(share: float) -> str:
    """A share as a cell that is the darker the larger it is, with text that can be read on it."""
    ground = f"hsl(14 80% {96 - 46 * share:.0f}%)"
    style = f"display:block;padding:.2em .4em;color:black;background:{ground}"
    return f'<span style="{style}">{share:.0%}</span>'


def number(value: float | None) -> str:
    """A number to four digits, or a dash where it cannot be known."""
    return "-" if value is None else f"{value:.4g}"


def word(value: bool | None) -> str:
    """A verdict in a word."""
    return {True: "yes", False: "no", None: "undecided"}[value]


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table in Markdown; a cell that holds a bar must be code or escape it."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def fenced(language: str, text: str) -> str:
    """A block of text that is printed as it stands."""
    return f"```{language}\n{text}\n```"

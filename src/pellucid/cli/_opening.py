"""Carries out what `pellucid open` was asked for, and tells of it as JSON or a table."""

import json
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pellucid.audit.sample import BUILTIN, facts
from pellucid.cli._meeting import declared, met, terms
from pellucid.cli._model import ModelOptions
from pellucid.cli._words import percent
from pellucid.data import Dataset
from pellucid.opening import Opened, understand
from pellucid.opening.doubts import Examination, doubts


@dataclass(frozen=True, kw_only=True)
class Report:
    """A model as it was understood, and how it fared on rows of data, if there were any."""

    opened: Opened
    data: Dataset | None
    examination: Examination | None

    def to_json(self) -> str:
        """One line of JSON."""
        told = {
            "model": self.opened.reference,
            "access": self.opened.most,
            "outputs": self.opened.outputs,
            "facts": self.opened.told(),
            "notes": self.opened.notes,
            "data": None if self.data is None else asdict(facts(self.data)),
            "examination": None if self.examination is None else asdict(self.examination),
        }
        return json.dumps(told, allow_nan=False)

    def show(self, console: Console) -> None:
        """Print the facts, the notes, the accuracy and the doubts."""
        console.print(
            f"{escape(self.opened.reference)} grants at most access '{self.opened.most}' and "
            f"answers {self.opened.outputs} numbers a row.",
            highlight=False,
            soft_wrap=True,
        )
        console.print(self._facts())
        for note in (*self.opened.notes, *(self.data.guessed if self.data else ())):
            console.print(f"Note: {escape(note)}", highlight=False)
        if self.data is None or self.examination is None:
            console.print("Give --data to see how right it is, and what looks wrong.")
            return
        seen = self.examination
        console.print(
            f"Right on {seen.right} of {seen.rows} rows of {escape(self.data.name)}: "
            f"{percent(seen.accuracy)}, 95 % interval {percent(seen.low)} to {percent(seen.high)}.",
            highlight=False,
        )
        for doubt in seen.doubts:
            console.print(f"Looks wrong ({doubt.name}): {escape(doubt.sentence)}", highlight=False)
        if not seen.doubts:
            console.print("Nothing was found that looks wrong.")
        asked = seen.asked + self.opened.asked
        console.print(f"Asked about {asked:,} rows in all.", highlight=False)

    def _facts(self) -> Table:
        made = Table(box=None, pad_edge=False)
        for name in ("fact", "value", "told by"):
            made.add_column(name)
        for name, fact in self.opened.told().items():
            made.add_row(name, escape(_words(fact["value"])), escape(str(fact["by"])))
        return made


def examine(
    model: str, data: str | None, rows: int, options: ModelOptions, trials: bool | None = None
) -> Report:
    """Open the model; with data (a builtin model brings its own), ask it about rows of it.

    Raises:
        UserError: in a sentence, for a model or data that cannot be had or do not fit together.
    """
    if data is None and not model.startswith(BUILTIN):
        opened = understand(
            model,
            declared=declared(options),
            trust=options.trust,
            rows_per_call=options.rows_per_call,
            terms=terms(options),
        )
        return Report(opened=opened, data=None, examination=None)
    opened, chosen = met(model, data, rows, options)
    again = not opened.paid if trials is None else trials
    seen = doubts(opened, chosen, rows=rows, trials=again)
    return Report(opened=opened, data=chosen, examination=seen)


def _words(value: object) -> str:
    """A fact in words: numbers joined by commas, as the options take them."""
    if not isinstance(value, list):
        return str(value)
    return ",".join(
        "any" if part is None else f"{part:g}" if isinstance(part, float) else str(part)
        for part in value
    )

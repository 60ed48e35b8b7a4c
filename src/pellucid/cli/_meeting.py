"""Opens the model of a command, and takes its rows of data."""

from dataclasses import replace

from pellucid.audit.subject import meet
from pellucid.cli._model import ModelOptions, floats, names, pair, whole
from pellucid.data import Dataset
from pellucid.opening import Facts, Opened, understand


def met(
    model: str, data: str | None, rows: int | None, options: ModelOptions
) -> tuple[Opened, Dataset]:
    """The opened model, and the rows that it is asked about.

    Raises:
        UserError: in a sentence, for options, a model or data that cannot be used.
    """
    return meet(
        model,
        data,
        rows,
        target=options.target,
        declared=declared(options),
        trust=options.trust,
    )


def known(model: str, options: ModelOptions) -> Opened:
    """The opened model alone, where it is asked about no rows: raw values, unless said."""
    told = declared(options)
    facts = replace(told, emits=told.emits or "values")
    return understand(model, declared=facts, trust=options.trust)


def declared(options: ModelOptions) -> Facts:
    """The facts that the options declare."""
    return Facts(
        emits=options.emits,
        shape=None if options.shape is None else whole("--shape", options.shape),
        bounds=None if options.bounds is None else pair("--bounds", options.bounds),
        mean=None if options.mean is None else floats("--mean", options.mean),
        std=None if options.std is None else floats("--std", options.std),
        layout=options.layout,
        dtype=options.dtype,
        labels=None if options.labels is None else names(options.labels),
        output=options.output,
    )

"""Opens the model of a command, and takes its rows of data."""

from collections.abc import Sequence
from dataclasses import replace

from pellucid.audit.subject import meet
from pellucid.cli._model import ModelOptions, floats, names, pair, whole
from pellucid.data import Dataset
from pellucid.opening import Facts, Opened, understand
from pellucid.remote.terms import Terms


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
        rows_per_call=options.rows_per_call,
        terms=terms(options),
    )


def allies(references: Sequence[str], data: Dataset, options: ModelOptions) -> tuple[Opened, ...]:
    """The attacker's own models, which take what the data holds; they say the rest themselves."""
    bounds = None if data.low is None or data.high is None else (data.low, data.high)
    hints = Facts(shape=data.shape, bounds=bounds)
    apart = Terms(anonymous=True)  # the token is for the model under attack
    return tuple(
        understand(one, data=hints, trust=options.trust, terms=apart) for one in references
    )


def known(model: str, options: ModelOptions) -> Opened:
    """The opened model alone, where it is asked about no rows: raw values, unless said."""
    told = declared(options)
    facts = replace(told, emits=told.emits or "values")
    return understand(
        model,
        declared=facts,
        trust=options.trust,
        rows_per_call=options.rows_per_call,
        terms=terms(options),
    )


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


def terms(options: ModelOptions) -> Terms:
    """The terms on which an endpoint is asked."""
    return Terms(
        mapping=options.mapping,
        token=options.token,
        calls_at_once=options.calls_at_once,
        calls_per_second=options.calls_per_second,
    )

"""Opens a model behind an endpoint: of the Open Inference Protocol, or of plain JSON."""

from dataclasses import replace
from pathlib import Path

from pellucid.opening.facts import Facts
from pellucid.opening.found import Found
from pellucid.remote.endpoint import Endpoint
from pellucid.remote.mapped import Mapped
from pellucid.remote.mapping import read
from pellucid.remote.terms import Terms


def load(reference: str, told: Facts, terms: Terms) -> Found:
    """The model at `http(s)://HOST/v2/models/NAME`, or at any address with a mapping.

    Raises:
        UserError: in a sentence, for a URL that leads to no such model, or metadata that do not fit
            what is declared.
    """
    if terms.mapping is not None:
        return _mapped(reference, told, terms, terms.mapping)
    endpoint = Endpoint.open(reference, output=told.output, terms=terms)
    return Found(
        model=endpoint,
        by="the endpoint's metadata",
        facts=Facts(dtype=endpoint.dtype, output=endpoint.output),
        takes=endpoint.shape,
        outputs=endpoint.outputs,
        rows_per_call=endpoint.rows_per_call,
        calls_at_once=terms.calls_at_once,
        paid=True,
    )


def _mapped(reference: str, told: Facts, terms: Terms, path: Path) -> Found:
    """The model behind a plain JSON endpoint, of which its mapping says all there is to know."""
    mapping = read(path)
    mapping = replace(mapping, labels=mapping.labels or told.labels)
    decides = mapping.label is not None
    return Found(
        model=Mapped.open(reference, mapping, terms),
        by="the mapping",
        facts=Facts(emits="label" if decides else None, labels=mapping.labels),
        outputs=1 if decides else len(mapping.labels or ()) or None,
        rows_per_call=None if mapping.batch else 1,
        calls_at_once=terms.calls_at_once,
        paid=True,
    )

"""Opens a model behind an endpoint of the Open Inference Protocol."""

from pellucid.opening.facts import Facts
from pellucid.opening.found import Found
from pellucid.remote.endpoint import Endpoint


def load(reference: str, told: Facts) -> Found:
    """The model at `http(s)://HOST/v2/models/NAME`, and what its metadata say.

    Raises:
        UserError: in a sentence, for a URL that leads to no such model, or metadata that do not fit
            what is declared.
    """
    endpoint = Endpoint.open(reference, output=told.output)
    return Found(
        model=endpoint,
        by="the endpoint's metadata",
        facts=Facts(dtype=endpoint.dtype, output=endpoint.output),
        takes=endpoint.shape,
        outputs=endpoint.outputs,
        rows_per_call=endpoint.rows_per_call,
        paid=True,
    )

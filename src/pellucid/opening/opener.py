"""`pellucid.open`: a reference and a few facts make a box."""

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from pellucid.box.answerer import Answerer
from pellucid.box.outputs import Emits
from pellucid.box.preprocessing import DType, Layout
from pellucid.box.protocols import Access, NoBox
from pellucid.opening.facts import Facts
from pellucid.opening.found import Found
from pellucid.opening.understand import understand
from pellucid.remote.terms import Terms


def open(
    reference: str | nn.Module | Answerer | Found,
    *,
    access: Access | None = None,
    emits: Emits | None = None,
    shape: Sequence[int] | None = None,
    bounds: tuple[float, float] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    layout: Layout | None = None,
    dtype: DType | None = None,
    labels: Sequence[str] | None = None,
    output: str | None = None,
    trust: bool = False,
    rows_per_call: int = 1000,
    mapping: str | Path | None = None,
    token: str | None = None,
    calls_at_once: int = 1,
    calls_per_second: float | None = None,
) -> NoBox:
    """Put a model behind glass, and grant no more than `access`.

    A fact that is not given is taken from a file `NAME.pellucid.toml` beside the model, from the
    model's own metadata, or from its answers to 8 random rows, which opening asks about once;
    `pellucid.opening.understand` says which.

    Args:
        reference: a torch module, an answerer, or an estimator that `pellucid.opening.wrapped`
            made a model of; or a name: `builtin:NAME`, `FILE.onnx`, `FILE.skops`,
            `package.module:factory[@weights.safetensors]`, `hf:FOLDER`, `http(s)://.../v2/models/
            NAME`, or a `FILE.pellucid.toml` that names one.
        access: none, label, score, grad or white; None for all that the model can give.
        emits: logits, probabilities, label or values.
        shape: of one input, without the axis of rows, channels first.
        bounds: the lowest and highest value of an input, in the user's units; where nobody tells,
            0 and 1 for images, and none for vectors.
        mean: subtracted from an input before the model sees it: one number, or one a channel.
        std: divides it then.
        layout: the order of axes that the model wants; inputs are always chw.
        dtype: the type of number that the model wants; whole numbers are rounded to.
        labels: names of the classes, in the order of the outputs.
        output: the name of the output to read, where a model has several.
        trust: let files be unpickled, which runs whatever code they hold.
        rows_per_call: rows that one call carries at most.
        mapping: a TOML file that says how an endpoint of plain JSON is asked and read.
        token: the environment variable that holds an endpoint's bearer token; None for
            PELLUCID_TOKEN, if that is set.
        calls_at_once: requests to an endpoint that may be under way together.
        calls_per_second: requests sent to an endpoint a second, at most; None for no limit.

    Raises:
        UserError: in a sentence, if there is no such model, or the facts do not fit it.
    """
    declared = Facts(
        emits=emits,
        shape=None if shape is None else tuple(shape),
        bounds=bounds,
        mean=None if mean is None else tuple(mean),
        std=None if std is None else tuple(std),
        layout=layout,
        dtype=dtype,
        labels=None if labels is None else tuple(labels),
        output=output,
    )
    terms = Terms(
        mapping=None if mapping is None else Path(mapping),
        token=token,
        calls_at_once=calls_at_once,
        calls_per_second=calls_per_second,
    )
    opened = understand(
        reference, declared=declared, trust=trust, rows_per_call=rows_per_call, terms=terms
    )
    return opened.box(access)

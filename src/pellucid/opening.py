"""Opening models: a reference and a few facts make a box."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

import torch
from torch import Tensor, nn

from pellucid.box.protocols import GRANTS, LADDER, Access, AccessDenied, NoBox
from pellucid.box.torch_box import Emits, Layout, Preprocessing, TorchBox, evaluating
from pellucid.box.views import VIEWS, Direct
from pellucid.errors import UserError
from pellucid.models.builtin import builtin
from pellucid.spec import Dense, Image, OneClass, Spec, Values, Vector

EMITS: tuple[Emits, ...] = ("logits", "probabilities", "label", "values")
PROBES = 8  # rows that opening asks about


def open(
    reference: str | nn.Module,
    *,
    access: Access = "white",
    emits: Emits | None = None,
    shape: Sequence[int] | None = None,
    bounds: tuple[float, float] | None = None,
    mean: Sequence[float] = (0.0,),
    std: Sequence[float] = (1.0,),
    layout: Layout = "chw",
    rows_per_call: int = 1000,
) -> NoBox:
    """Put a model behind glass, and grant no more than `access`.

    Opening asks about 8 random rows once, to see that the model answers and what it emits.

    Args:
        reference: a torch module, or `builtin:NAME`.
        access: none, label, score, grad or white.
        emits: logits, probabilities, label or values; None lets the answers at opening decide.
        shape: of one input, without the axis of rows; three sizes make it an image.
        bounds: the lowest and highest value of an input, in the user's units; by default 0 and 1
            for images, and none for vectors.
        mean: subtracted from an input before the model sees it: one number, or one a channel.
        std: divides it then.
        layout: the order of axes that the model wants; inputs are always chw.
        rows_per_call: rows that one call carries at most.

    Raises:
        UserError: in a sentence, if the facts do not fit the model.
    """
    if access not in GRANTS:
        raise UserError(f"There is no access {access!r}: choose one of {', '.join(GRANTS)}.")
    if emits is not None and emits not in EMITS:
        raise UserError(f"A model cannot emit {emits!r}: choose one of {', '.join(EMITS)}.")
    if rows_per_call < 1:
        raise UserError(f"A call carries at least one row, but rows_per_call is {rows_per_call}.")
    if isinstance(reference, str):
        found = _named(reference)
        module, shape, bounds, emits = (
            found.module,
            shape or found.shape,
            bounds or found.bounds,
            emits or found.emits,
        )
    else:
        module = reference
    if not isinstance(module, nn.Module):
        raise UserError(
            f"A model is a torch module or a name such as builtin:digits-cnn, "
            f"not a {type(module).__name__}."
        )
    source = _input(shape, bounds)
    preprocessing = Preprocessing(mean=tuple(mean), std=tuple(std), layout=layout)
    answers = _look(module, source, preprocessing)
    emits, evidence = (emits, "declared") if emits else _judge_outputs(answers)
    if emits == "label" and LADDER.index(GRANTS[access]) > LADDER.index(GRANTS["label"]):
        raise AccessDenied(
            f"This model emits labels alone, so access {access!r} cannot be granted: "
            "open it with access='label'."
        )
    box = TorchBox(
        module=module,
        spec=Spec(input=source, answer=_meaning(answers, emits), rows_per_call=rows_per_call),
        emits=emits,
        evidence=evidence,
        preprocessing=preprocessing,
        calls=1,
        rows=PROBES,
    )
    return VIEWS[GRANTS[access]](Direct(box))


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A model that a reference named, and what is known of it."""

    module: nn.Module
    shape: tuple[int, ...]
    bounds: tuple[float, float]
    emits: Emits


def _named(reference: str) -> _Found:
    scheme, _, name = reference.partition(":")
    if scheme != "builtin" or not name:
        raise UserError(
            f"{reference!r} cannot be opened: pass a torch module, or builtin:NAME, "
            "such as builtin:digits-cnn."
        )
    module, facts = builtin(name)
    return _Found(module=module, shape=facts.shape, bounds=(facts.low, facts.high), emits="logits")


def _input(shape: Sequence[int] | None, bounds: tuple[float, float] | None) -> Dense:
    if shape is None:
        raise UserError("The shape of an input is not known: pass it, as in shape=(1, 28, 28).")
    if len(shape) == 3:
        low, high = bounds or (0.0, 1.0)
        return Image(shape=(shape[0], shape[1], shape[2]), low=low, high=high)
    low, high = bounds or (-inf, inf)
    return Vector(shape=tuple(shape), low=low, high=high)


def _look(module: nn.Module, source: Dense, preprocessing: Preprocessing) -> Tensor:
    """What the module answers to a few random inputs, (PROBES, outputs)."""
    draws = torch.rand(PROBES, *source.shape, generator=torch.Generator().manual_seed(0))
    if isfinite(source.low) and isfinite(source.high):
        draws = source.low + (source.high - source.low) * draws
    weight = next((w for w in module.parameters() if w.is_floating_point()), draws)
    try:
        with torch.no_grad(), evaluating(module):
            out = module(preprocessing(draws.to(weight), source.shape))
    except Exception as error:  # whatever a stranger's module raises
        raise UserError(
            f"The model cannot take rows of shape {tuple(source.shape)} "
            f"({(str(error) or type(error).__name__).splitlines()[0]}): check shape and layout."
        ) from error
    if not isinstance(out, Tensor):
        raise UserError(
            f"The model answers with a {type(out).__name__}, not with a tensor: "
            "wrap it in a module that returns the outputs alone."
        )
    if out.ndim not in (1, 2) or len(out) != PROBES:
        raise UserError(
            f"The model answers {PROBES} rows with a tensor of shape {tuple(out.shape)}, "
            f"where ({PROBES}, outputs) was due: wrap it so that it gives one line a row."
        )
    return out


def _judge_outputs(out: Tensor) -> tuple[Emits, str]:
    """What a model emits, as its answers at opening show it, and how they do."""
    if out.ndim == 1 and bool((out == out.round()).all()):
        return "label", f"{PROBES} answers are one whole number each"
    if out.ndim == 1 or out.shape[1] == 1:
        raise UserError(
            "The model answers one number a row, which may be a value or a score: open it with "
            "emits='values', or wrap it to give one score a class."
        )
    shares = bool(((out >= 0) & (out <= 1)).all())
    if shares and bool((out.sum(-1) - 1).abs().max() < 1e-4):
        return "probabilities", f"{PROBES} answers lie in [0, 1] and sum to 1"
    if shares:
        raise UserError(
            "The model's outputs lie in [0, 1] but do not sum to 1, so they may be probabilities "
            "or logits: say which, as in emits='logits'."
        )
    return "logits", f"{PROBES} answers do not lie in [0, 1]"


def _meaning(out: Tensor, emits: Emits) -> OneClass | Values:
    width = 1 if out.ndim == 1 else out.shape[1]
    if emits == "values":
        return Values(size=width)
    if (emits == "label") != (width == 1):
        raise UserError(
            f"A model that emits {emits} cannot answer {width} numbers a row: "
            "say what it emits, or wrap it to give a label, or one score a class."
        )
    # labels do not say how many classes there are
    return OneClass(size=2**31 if emits == "label" else width)

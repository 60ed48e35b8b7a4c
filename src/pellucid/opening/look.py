"""A look at a model's answers to a few random inputs, and what they show that it emits."""

from math import isfinite

import torch
from torch import Tensor, nn

from pellucid.box.answerer import Answerer
from pellucid.box.outputs import Emits
from pellucid.box.preprocessing import Preprocessing
from pellucid.box.torch_box import evaluating
from pellucid.errors import UserError
from pellucid.spec import Dense

PROBES = 8  # rows that opening asks about


def look(model: nn.Module | Answerer, source: Dense, preprocessing: Preprocessing) -> Tensor:
    """What the model answers to PROBES random inputs, (PROBES, outputs) or (PROBES,).

    Raises:
        UserError: the model cannot take such inputs, or answers something else.
    """
    draws = torch.rand(PROBES, *source.shape, generator=torch.Generator().manual_seed(0))
    if isfinite(source.low) and isfinite(source.high):
        draws = source.low + (source.high - source.low) * draws
    try:
        out = _pass(model, draws, source, preprocessing)
    except UserError:  # a sentence already
        raise
    except Exception as error:  # whatever a stranger's model raises
        raise UserError(
            f"The model cannot take rows of shape {tuple(source.shape)} "
            f"({(str(error) or type(error).__name__).splitlines()[0]}): check shape, layout and "
            "dtype."
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


def _pass(
    model: nn.Module | Answerer, draws: Tensor, source: Dense, preprocessing: Preprocessing
) -> Tensor | object:
    if not isinstance(model, nn.Module):
        return torch.as_tensor(model(preprocessing(draws, source.shape).numpy()))
    weight = next((w for w in model.parameters() if w.is_floating_point()), draws)
    with torch.no_grad(), evaluating(model):
        return model(preprocessing(draws.to(weight), source.shape))


def emitted(out: Tensor) -> tuple[Emits, str]:
    """What a model emits, as its answers at opening show it, and how they do.

    Raises:
        UserError: they may be more than one thing.
    """
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

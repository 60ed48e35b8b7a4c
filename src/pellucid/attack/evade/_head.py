"""The last linear layer of a network, and how what it puts out becomes logits."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.box.protocols import WhiteBox
from pellucid.errors import UserError
from pellucid.shapes import Batch, Each, ScoreAnswer
from pellucid.taps import tap

CLOSE = 1e-3  # how exactly the logits must follow the layer, of the factor


@dataclass(frozen=True, eq=False, kw_only=True)
class Head:
    """A linear layer whose output, times a factor and up to a shift of all classes, is logits."""

    weight: Float[Tensor, "classes features"]
    scale: Each  # the factor of each row
    logits: ScoreAnswer  # of the rows that it was looked at with


def head(box: WhiteBox, x: Batch, name: str | None) -> Head:
    """Find the head and its factor at the rows x: one query and one gradient a row.

    The gradient goes backwards from the difference of the two best logits to the layer alone. What
    arrives there is the factor at these two, and nothing elsewhere; otherwise the layer is no head.

    Args:
        box: a network whose rows can all pay.
        x: rows (n, *shape).
        name: of the layer; None: the last linear layer with an output a class.

    Raises:
        UserError: there is no such layer, or the logits are made otherwise.
    """
    found = _find(box, name)
    layer = box.module.get_submodule(found)
    assert isinstance(layer, nn.Linear)
    seen: list[Tensor] = []  # what the layer put out, a call each

    def keep(_name: str, output: Tensor) -> Tensor:
        seen.append(output)
        return output

    with tap(box.module, found, keep):
        logits = box.logits(x.detach().requires_grad_())
    best = logits.detach().topk(2).indices
    top = logits.gather(-1, best)
    gradients = torch.autograd.grad((top[:, 0] - top[:, 1]).sum(), seen, allow_unused=True)
    calls = torch.arange(len(x)).split(box.spec.rows_per_call)  # each of them may be padded
    parts = [
        part[: len(rows)] for part, rows in zip(gradients, calls, strict=True) if part is not None
    ]
    arrived = torch.cat(parts).to(x) if parts else torch.zeros_like(logits.to(x))
    scale, other = arrived.gather(1, best).unbind(1)
    rest = arrived.scatter(1, best, 0).abs().amax(1)
    logits = logits.detach().to(x)
    bad = ~(scale > 0) | (torch.maximum((scale + other).abs(), rest) > CLOSE * scale)
    if bool((bad & logits.isfinite().all(1)).any()):
        raise UserError(
            f"The logits of this network are not those of its layer '{found}' up to a factor: "
            "name the last linear layer, as in head='fc', or choose another attack."
        )
    scale = torch.where(bad, 1, scale)  # rows without an answer
    return Head(weight=layer.weight.detach().to(x), scale=scale, logits=logits)


def _find(box: WhiteBox, name: str | None) -> str:
    """The name of the layer."""
    classes = box.spec.answer.size
    known = [
        found
        for found, part in box.module.named_modules()
        if isinstance(part, nn.Linear) and part.out_features == classes
    ]
    if name in known or (name is None and known):
        return known[-1] if name is None else name
    raise UserError(
        f"This network has no linear layer '{name}' with {classes} outputs: "
        f"name one of {', '.join(known)}."
        if known
        else f"This network has no linear layer with {classes} outputs, which this attack goes by: "
        "choose another attack."
    )

"""How sure a model stays of a class between pictures: on a segment, and all over a triangle."""

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.box.protocols import ScoreBox
from pellucid.shapes import Batch, Labels

Confidence = Float[Tensor, "k n"]  # a probability for each of k points of each row


def on_segment(box: ScoreBox, classes: Labels, a: Batch, b: Batch, points: int = 11) -> Confidence:
    """The probability of each row's class at evenly spaced points from a to b, ends included.

    Costs a query a row and point. The least of them says how star-like the set is in which the
    class is sure, as Balasubramanian et al., NeurIPS 2023, look at it from a.
    """
    share = torch.linspace(0, 1, points)
    return _blended(box, classes, torch.stack([1 - share, share], 1), a, b)


def on_triangle(
    box: ScoreBox, classes: Labels, a: Batch, b: Batch, c: Batch, points: int = 11
) -> Confidence:
    """The same on the triangle of three pictures: a grid of so many points on each side.

    Costs a query a row and point: points (points + 1) / 2 of them.
    """
    share = torch.linspace(0, 1, points)
    second, third = torch.cartesian_prod(torch.arange(points), torch.arange(points)).unbind(1)
    inside = second + third < points
    second, third = share[second[inside]], share[third[inside]]
    shares = torch.stack([(1 - second - third).clamp_min(0), second, third], 1)
    return _blended(box, classes, shares, a, b, c)


def _blended(
    box: ScoreBox, classes: Labels, shares: Float[Tensor, "k corners"], *corners: Batch
) -> Confidence:
    """The probability of each class at mixtures of the corners."""
    mixed = torch.einsum("kc,cn...->kn...", shares.to(corners[0]), torch.stack(corners))
    scores = box.scores(box.spec.clamp(mixed))  # mixing rounds
    index = classes.expand(scores.shape[:-1])[..., None]
    return scores.gather(-1, index)[..., 0].exp()

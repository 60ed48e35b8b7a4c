"""Competitive ratios: what was picked, beside the best that could have been."""

import torch
from torch import Generator

from pellucid.attack.online.picking import Chosen, Values
from pellucid.shapes import Each


def best(values: Values, picks: int) -> Chosen:
    """The largest items of each stream: what one would pick who knew all of them."""
    chosen = torch.zeros(values.shape, dtype=torch.bool)
    return chosen.scatter_(1, values.topk(picks, dim=1).indices, True)


def at_random(values: Values, picks: int, rng: Generator) -> Chosen:
    """As many items of each stream, whatever they are worth."""
    return best(torch.rand(values.shape, generator=rng), picks)


def indicator_ratio(values: Values, chosen: Chosen, picks: int) -> Each:
    """Of the largest items of each stream, the share that was picked."""
    least = values.topk(picks, dim=1).values[:, -1:]
    return ((chosen & (values >= least)).sum(1) / picks).double()


def knapsack_ratio(values: Values, chosen: Chosen, picks: int) -> Each:
    """What the picked items of each stream are worth together, over what the largest would be."""
    return (values * chosen).sum(1) / values.topk(picks, dim=1).values.sum(1)

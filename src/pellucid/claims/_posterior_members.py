"""Samples of one network's posterior side by side, and the architectures of their victims."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Generator, nn

from pellucid.fit import Stats
from pellucid.models.block_cnn import BlockCNN
from pellucid.models.small_cnn import SmallCNN
from pellucid.shapes import Batch, Labels, ScoreAnswer
from pellucid.train.cyclical_sgld import CyclicalSGLD


class Members(nn.Module):
    """Networks of one kind side by side, which answer their mean logits."""

    def __init__(self, count: int) -> None:
        """So many untrained networks."""
        super().__init__()
        self.networks = nn.ModuleList(small() for _ in range(count))

    def forward(self, x: Batch) -> ScoreAnswer:
        """Logits (n, classes)."""
        return reduce(torch.add, [network(x) for network in self.networks]) / len(self.networks)


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """Trains the first of the members, and keeps a sample in each."""

    sampler: CyclicalSGLD  # draws as many samples as there are members

    def __call__(
        self, module: nn.Module, data: tuple[Batch, Labels], rng: Generator
    ) -> Iterator[Stats | nn.Module]:
        """Yield the figures of each epoch, then the members in eval mode."""
        members, states = [*module.get_submodule("networks").children()], []
        for item in self.sampler.draw(members[0], data, rng):
            if isinstance(item, Stats):
                yield item
            else:
                states.append(item.state_dict())
        for member, state in zip(members, states, strict=True):
            member.load_state_dict(state)
        yield module.eval()


def small() -> nn.Module:
    """The surrogates' architecture."""
    return SmallCNN(channels=(8, 16), hidden=64)


def block() -> nn.Module:
    """Another, of three convolutions."""
    return BlockCNN((1, 28, 28), channels=(8, 16, 32), hidden=64)


def dense() -> nn.Module:
    """Another, without convolutions."""
    first, second = nn.Linear(784, 128), nn.Linear(128, 64)
    return nn.Sequential(nn.Flatten(), first, nn.ReLU(), second, nn.ReLU(), nn.Linear(64, 10))

"""Contrastive training: each image of a batch against each caption of it, both ways."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Generator, Tensor, nn

from pellucid.fit import Stats
from pellucid.shapes import Batch, Labels
from pellucid.train.course import Course


@dataclass(frozen=True, kw_only=True)
class Contrastive:
    """Lower the cross-entropy of finding an image's caption in the batch, and a caption's image.

    Source: Radford et al., ICML 2021, figure 3.
    Needs: a network that answers a scaled cosine for each caption; rows with a caption each.
    Cost: one pass forwards and one back a row and epoch, and the figures of `fit`.
    Differs: Adam without weight decay and a one-cycle rate; of rows in a batch that have one
        caption each counts as right.
    """

    course: Course = Course()  # epochs, rows a step, highest learning rate

    def __call__(
        self, module: nn.Module, data: tuple[Batch, Labels], rng: Generator
    ) -> Iterator[Stats | nn.Module]:
        """Yield the figures of each epoch, then the module in eval mode."""
        return self.course.run(module, data, self.loss, rng)

    def loss(self, module: nn.Module, x: Tensor, y: Tensor, _rng: Generator) -> Tensor:
        """The mean over one batch and both ways."""
        logits = module(x)[:, y]  # (images, captions of the batch)
        same = (y[:, None] == y).to(logits)
        shares = same / same.sum(1, keepdim=True)
        image_to_text = -(shares * logits.log_softmax(1)).sum(1).mean()
        text_to_image = -(shares * logits.T.log_softmax(1)).sum(1).mean()
        return (image_to_text + text_to_image) / 2

"""A small model of images and words: two towers that meet in one space."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from pellucid.models.small_cnn import SmallCNN
from pellucid.shapes import Batch, ScoreAnswer

CEILING = 100.0  # of the factor on cosines: where CLIP's begins to be clamped, and ends


class LengthOne(nn.Module):
    """The last layer of a tower."""

    def forward(self, embeddings: Tensor) -> Tensor:
        """Embeddings (n, width), each divided by its length."""
        return functional.normalize(embeddings)


class TwoTower(nn.Module):
    """A convolutional tower for images and a bag of words for captions, as in CLIP but small.

    Source: Radford et al., ICML 2021, sections 2.4 and 2.5: the space, the scale and its ceiling.
    A scale that begins low stays low on a small task, and then the two kinds of embeddings share
    one region; at the ceiling they keep the gap that CLIP's have.
    """

    def __init__(
        self,
        captions: tuple[str, ...],
        shape: tuple[int, int, int] = (3, 32, 32),
        width: int = 64,
        channels: tuple[int, int] = (16, 32),
        hidden: int = 512,
        scale: float = CEILING,
    ) -> None:
        """Draw the weights from the global generator, as PyTorch's layers do.

        Args:
            captions: What an image may be told to show; their words make the vocabulary.
            shape: Channels, height and width of an image.
            width: Numbers in an embedding.
            channels: Channels after the first and the second convolution.
            hidden: Width of the image tower's hidden layer.
            scale: The factor on cosines before training, which learns it; CLIP begins at 14.
        """
        super().__init__()
        words = sorted({word for caption in captions for word in caption.split()})
        numbers = [[words.index(word) for word in caption.split()] for caption in captions]
        ends = torch.tensor([len(number) for number in numbers]).cumsum(0)
        tokens = [number for caption in numbers for number in caption]
        self.register_buffer("tokens", torch.tensor(tokens), persistent=False)
        self.register_buffer("starts", torch.cat([ends.new_zeros(1), ends[:-1]]), persistent=False)
        self.image = nn.Sequential(SmallCNN(shape, width, channels, hidden), LengthOne())
        self.words = nn.EmbeddingBag(len(words), width)
        first, second = nn.Linear(width, width), nn.Linear(width, width)
        self.text = nn.Sequential(first, nn.ReLU(), second, LengthOne())
        self.log_scale = nn.Parameter(torch.tensor(scale).log())

    def texts(self) -> Tensor:
        """The embeddings of all captions (captions, width), of length one."""
        return self.text(self.words(self.get_buffer("tokens"), self.get_buffer("starts")))

    def forward(self, x: Batch) -> ScoreAnswer:
        """Scaled cosines (n, captions) of images (n, *shape): logits of a classifier."""
        return self.log_scale.exp().clamp_max(CEILING) * self.image(x) @ self.texts().T

"""Images against captions: cosines between embeddings, and the gap between the two kinds."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from pellucid.shapes import Batch, ScoreAnswer

Embeddings = Float[Tensor, "n width"]
Gap = Float[Tensor, " width"]


class Captioned(nn.Module):
    """The cosine of an image with each of some captions, by any tower that embeds images.

    In a box it emits raw values, one a caption:
    `TorchBox(module=..., spec=Spec(input=Image(shape=...), answer=Values(size=m)), emits="values")`
    """

    def __init__(self, tower: nn.Module, texts: Embeddings, gap: Gap | None = None) -> None:
        """Embed the captions once.

        Args:
            tower: Embeds images (n, *shape) as (n, width), of any length.
            texts: The captions' embeddings (captions, width), of any length.
            gap: What is taken from images and added to texts before they are brought to length 1.
        """
        super().__init__()
        self.tower = tower
        shift = texts.new_zeros(texts.shape[1]) if gap is None else gap
        self.register_buffer("texts", texts.detach().clone())
        self.register_buffer("gap", shift.detach().clone())

    def forward(self, x: Batch) -> ScoreAnswer:
        """Cosines (n, captions) of images (n, *shape)."""
        gap = self.get_buffer("gap")
        images = functional.normalize(self.tower(x) - gap)
        return images @ functional.normalize(self.get_buffer("texts") + gap).T


def gap_vector(images: Embeddings, texts: Embeddings, *, scalar: bool = False) -> Gap:
    """The mean image embedding less the mean text embedding, each as its tower gives it.

    A share of it, as `Captioned`'s gap, is the mitigation of Freiberger et al., arXiv 2023. With
    `scalar` one number is taken for the text's mean, over all entries, as their code does.
    """
    return images.mean(0) - (texts.mean() if scalar else texts.mean(0))


def modality_gap(images: Embeddings, texts: Embeddings) -> float:
    """How far apart the two kinds lie: the distance of their means, each embedding of length 1.

    Source: Liang et al., NeurIPS 2022, section 3.
    """
    images, texts = functional.normalize(images), functional.normalize(texts)
    return float(torch.linalg.vector_norm(images.mean(0) - texts.mean(0)))

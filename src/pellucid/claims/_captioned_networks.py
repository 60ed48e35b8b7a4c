"""Two-tower networks of captioned digits, their boxes, and what fits a caption by right."""

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pellucid.box.torch_box import TorchBox
from pellucid.claims.recipe import Recipe
from pellucid.data.captioned_digits import CAPTIONS, SIZE
from pellucid.data.dataset import Dataset
from pellucid.models.captioned import Captioned, gap_vector
from pellucid.models.two_tower import TwoTower
from pellucid.shapes import Labels, ScoreAnswer
from pellucid.spec import Image, Spec, Values
from pellucid.train.contrastive import Contrastive
from pellucid.train.course import Course

SPEC = Spec(input=Image(shape=(3, SIZE, SIZE)), answer=Values(size=len(CAPTIONS)))
TWO_TOWER = Recipe(
    name="captioned-digits-two-tower",
    architecture=partial[nn.Module](TwoTower, CAPTIONS),
    data="captioned-digits",
    trainer=Contrastive(course=Course(epochs=8, rate=1e-3)),
)


class Genuine(NamedTuple):
    """What test images come to; a number a caption."""

    matching: Tensor  # the median cosine of images with their own caption
    others: Tensor  # the mean cosine of images that have another caption
    best: Tensor  # the highest of those


def boxed(network: TwoTower, train: Dataset, share: float = 0.0, scalar: bool = False) -> TorchBox:
    """Cosines with all captions, after so much of the modality gap is taken away."""
    with torch.no_grad():
        images, texts = network.image(train.x[:1000]), network.texts()
    gap = share * gap_vector(images, texts, scalar=scalar)
    captioned = Captioned(network.image, texts, gap)
    return TorchBox(module=captioned, spec=SPEC, emits="values", pad=1)


def genuine(cosines: ScoreAnswer, y: Labels) -> Genuine:
    """What is right, of the cosines (n, captions) of images whose captions are y."""
    own = y[:, None] == torch.arange(cosines.shape[1])
    others = cosines.masked_fill(own, torch.nan)
    return Genuine(
        matching=cosines.masked_fill(~own, torch.nan).nanmedian(0).values,
        others=others.nanmean(0),
        best=others.nan_to_num(-torch.inf).amax(0),
    )

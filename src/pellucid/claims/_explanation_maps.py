"""The maps that a person looks at beside an answer, and how much two of them share."""

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attack.evade._surrogate_maps import gradient_map
from pellucid.box.protocols import WhiteBox
from pellucid.explain.cam.grad_cam import GradCAM
from pellucid.explain.targets import label
from pellucid.shapes import Batch, Each

Places = Float[Tensor, "n places"]

POOL = 4  # side of the squares that gradients are averaged over, in pixels
SHARE = 0.3  # of the places: those highest in the map


def shown(box: WhiteBox, x: Batch) -> dict[str, Places]:
    """Maps of the class that the model names: of its last convolution, and of its gradients."""
    said = label(box.labels(x))
    (cam,) = GradCAM(layer="relu")(box, x, said)
    z = x[None].detach().requires_grad_()
    gradient = gradient_map(box.logits(z), z, POOL, again=False)[0]
    return {"CAM": cam.values.flatten(1), "gradient": gradient}


def overlap(one: Places, other: Places) -> Each:
    """Intersection over union of the places that are highest in either map."""
    count = round(SHARE * one.shape[1])
    a, b = (highest(places, count) for places in (one, other))
    return (a & b).sum(1) / (a | b).sum(1)


def highest(places: Places, count: int) -> Tensor:
    """Which places are among the so many highest (n, places)."""
    chosen = places.topk(count, dim=1).indices
    return torch.zeros_like(places, dtype=torch.bool).scatter(1, chosen, True)

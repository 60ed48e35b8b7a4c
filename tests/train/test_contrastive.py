"""The contrastive loss by its definition, pair by pair."""

import torch
from torch import nn

from pellucid.train.contrastive import Contrastive


def test_the_loss_is_that_of_finding_captions_and_images():
    rng = torch.Generator().manual_seed(0)
    x, y = torch.randn(5, 4, generator=rng), torch.tensor([2, 0, 2, 1, 0])
    net = nn.Linear(4, 3)
    loss = Contrastive().loss(net, x, y, rng)
    logits, total = net(x), 0.0
    for i in range(5):
        mates = [j for j in range(5) if y[j] == y[i]]
        by_caption = torch.stack([logits[i, y[j]] for j in range(5)]).log_softmax(0)
        by_image = torch.stack([logits[j, y[i]] for j in range(5)]).log_softmax(0)
        total += -sum(by_caption[j] + by_image[j] for j in mates) / len(mates) / 10
    assert torch.allclose(loss, total)


def test_of_different_captions_it_is_the_loss_of_the_diagonal():
    logits = torch.randn(4, 4, generator=torch.Generator().manual_seed(1))
    loss = Contrastive().loss(nn.Identity(), logits, torch.arange(4), torch.Generator())
    diagonal = torch.arange(4)
    both = (nn.functional.cross_entropy(part, diagonal) for part in (logits, logits.T))
    assert torch.allclose(loss, sum(both) / 2)

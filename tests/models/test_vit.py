"""The vision transformer: its size, its shapes, and what attention is."""

import pytest
import torch

from pellucid.errors import UserError
from pellucid.models import ViT
from pellucid.models.vit import Attention


def test_default_size():
    # patches, places; by block two norms, three and one maps of tokens, two layers; norm, logits
    block = 2 * 128 + 65 * 192 + 65 * 64 + 65 * 128 + 129 * 64
    size = 49 * 64 + 64 * 64 + 3 * block + 128 + 65 * 10
    assert sum(weight.numel() for weight in ViT().parameters()) == size


def test_logits_of_other_shapes():
    net = ViT((1, 12, 8), classes=7, patch=4, width=6, depth=2, heads=3, hidden=5)
    assert net(torch.rand(3, 1, 12, 8)).shape == (3, 7)
    assert net.patches.count == 6


def test_every_part_is_called():
    net, called = ViT(width=8, heads=2, depth=2), set()
    for name, part in net.named_modules():
        part.register_forward_hook(lambda *_, name=name: called.add(name))
    net(torch.rand(1, 3, 32, 32))
    # places are a table whose weights are added as a whole
    assert called == {name for name, _ in net.named_modules()} - {"places"}


def test_attention_is_the_mean_of_values_by_the_softmax_of_products():
    attention, tokens = Attention(width=6, heads=2).double(), torch.rand(2, 5, 6).double()
    query, key, value = attention.query_key_value(tokens).split(6, -1)
    gathered = []
    for head in (slice(0, 3), slice(3, 6)):
        products = query[..., head] @ key[..., head].transpose(1, 2) / 3**0.5
        gathered.append(products.softmax(-1) @ value[..., head])
    due = attention.out(torch.cat(gathered, -1))
    torch.testing.assert_close(attention(tokens), due, rtol=0, atol=1e-12)


def test_without_places_the_order_of_patches_would_not_matter():
    net, x = ViT((1, 8, 8), patch=4, width=8, depth=2, heads=2), torch.rand(2, 1, 8, 8)
    turned = torch.cat([x[:, :, 4:], x[:, :, :4]], 2)
    assert not torch.allclose(net(x), net(turned), atol=1e-5)
    torch.nn.init.zeros_(net.places.weight)
    torch.testing.assert_close(net(x), net(turned), rtol=0, atol=1e-5)


@pytest.mark.parametrize("fields", [{"patch": 5}, {"width": 6, "heads": 4}])
def test_sizes_that_do_not_divide_are_refused(fields):
    with pytest.raises(UserError, match=r"do not fill|cannot be split"):
        ViT(**fields)

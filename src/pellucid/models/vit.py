"""A vision transformer for small images: patches that attend to each other."""

from torch import nn
from torch.nn import functional

from pellucid.errors import UserError
from pellucid.models._tokens import Patches, perceptron
from pellucid.shapes import Batch, ScoreAnswer


class Attention(nn.Module):
    """Scaled dot-product attention among tokens, by several heads."""

    def __init__(self, width: int, heads: int) -> None:
        """Draw the weights from the global generator, as PyTorch's layers do."""
        super().__init__()
        if width % heads:
            raise UserError(f"A width of {width} cannot be split among {heads} heads.")
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, tokens: Batch) -> Batch:
        """What each token gathers: (n, tokens, width) of the same."""
        split = self.query_key_value(tokens).unflatten(-1, (3, self.heads, -1))
        query, key, value = split.permute(2, 0, 3, 1, 4)
        gathered = functional.scaled_dot_product_attention(query, key, value)
        return self.out(gathered.transpose(1, 2).flatten(2))


class EncoderBlock(nn.Module):
    """Attention, then two layers on each token; both added to what comes in."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        """Draw the weights from the global generator, as PyTorch's layers do."""
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.perceptron = perceptron(width, hidden)

    def forward(self, tokens: Batch) -> Batch:
        """Tokens (n, tokens, width) of the same."""
        tokens = tokens + self.attention(self.norm1(tokens))
        return tokens + self.perceptron(self.norm2(tokens))


class ViT(nn.Module):
    """Patches with learned places, pre-norm encoder blocks, the mean of the tokens, and logits.

    The vision transformer of Dosovitskiy et al., ICLR 2021, small, and with the mean of the tokens
    where theirs reads a token of its own.
    """

    def __init__(
        self,
        shape: tuple[int, int, int] = (3, 32, 32),
        classes: int = 10,
        patch: int = 4,
        width: int = 64,
        depth: int = 3,
        heads: int = 4,
        hidden: int = 128,
    ) -> None:
        """Draw the weights from the global generator, as PyTorch's layers do.

        Args:
            shape: Channels, height and width of an image.
            classes: How many logits come out.
            patch: Height and width of a patch; it divides those of the image.
            width: Numbers a token.
            depth: Encoder blocks.
            heads: Of attention in each block; they divide the width.
            hidden: Width of the hidden layer on each token.

        Raises:
            UserError: the patches do not fill the image, or the heads do not divide the width.
        """
        super().__init__()
        self.patches = Patches(shape, patch, width)
        self.places = nn.Embedding(self.patches.count, width)
        nn.init.normal_(self.places.weight, std=0.02)
        self.blocks = nn.Sequential(*(EncoderBlock(width, heads, hidden) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, classes)

    def forward(self, x: Batch) -> ScoreAnswer:
        """Logits (n, classes) of images (n, *shape)."""
        tokens = self.patches(x) + self.places.weight
        return self.linear(self.norm(self.blocks(tokens)).mean(1))

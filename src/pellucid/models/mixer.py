"""An MLP-mixer for small images: layers across patches, then across channels."""

from torch import nn

from pellucid.models._tokens import Patches, perceptron
from pellucid.shapes import Batch, ScoreAnswer


class MixerBlock(nn.Module):
    """Two layers across the tokens, then two on each of them; both added to what comes in."""

    def __init__(self, tokens: int, width: int, across: int, hidden: int) -> None:
        """Draw the weights from the global generator, as PyTorch's layers do."""
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.across = perceptron(tokens, across)
        self.norm2 = nn.LayerNorm(width)
        self.within = perceptron(width, hidden)

    def forward(self, tokens: Batch) -> Batch:
        """Tokens (n, tokens, width) of the same."""
        mixed = self.across(self.norm1(tokens).transpose(1, 2)).transpose(1, 2)
        tokens = tokens + mixed
        return tokens + self.within(self.norm2(tokens))


class Mixer(nn.Module):
    """Patches, mixer blocks, the mean of the tokens, and logits.

    The MLP-mixer of Tolstikhin et al., NeurIPS 2021, small.
    """

    def __init__(
        self,
        shape: tuple[int, int, int] = (3, 32, 32),
        classes: int = 10,
        patch: int = 4,
        width: int = 64,
        depth: int = 3,
        across: int = 64,
        hidden: int = 128,
    ) -> None:
        """Draw the weights from the global generator, as PyTorch's layers do.

        Args:
            shape: Channels, height and width of an image.
            classes: How many logits come out.
            patch: Height and width of a patch; it divides those of the image.
            width: Numbers a token.
            depth: Mixer blocks.
            across: Width of the hidden layer across tokens.
            hidden: Width of the hidden layer on each token.

        Raises:
            UserError: the patches do not fill the image.
        """
        super().__init__()
        self.patches = Patches(shape, patch, width)
        tokens = self.patches.count
        self.blocks = nn.Sequential(
            *(MixerBlock(tokens, width, across, hidden) for _ in range(depth))
        )
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, classes)

    def forward(self, x: Batch) -> ScoreAnswer:
        """Logits (n, classes) of images (n, *shape)."""
        return self.linear(self.norm(self.blocks(self.patches(x))).mean(1))

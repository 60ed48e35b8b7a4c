"""What networks of patches share: an image as tokens, and two layers on each of them."""

from torch import Tensor, nn

from pellucid.errors import UserError
from pellucid.shapes import Batch


class Patches(nn.Module):
    """Squares of an image side by side, each as one token: (n, tokens, width)."""

    def __init__(self, shape: tuple[int, int, int], patch: int, width: int) -> None:
        """Draw the weights from the global generator, as PyTorch's layers do.

        Raises:
            UserError: the patches do not fill the image.
        """
        super().__init__()
        depth, height, across = shape
        if height % patch or across % patch:
            raise UserError(
                f"Patches of {patch} x {patch} do not fill images of {height} x {across}: "
                "choose a size that divides both."
            )
        self.count = (height // patch) * (across // patch)
        self.project = nn.Conv2d(depth, width, patch, stride=patch)

    def forward(self, x: Batch) -> Tensor:
        """Tokens (n, tokens, width) of images (n, *shape)."""
        return self.project(x).flatten(2).transpose(1, 2)


def perceptron(width: int, hidden: int) -> nn.Sequential:
    """Two layers with a GELU between them, on the last axis."""
    return nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

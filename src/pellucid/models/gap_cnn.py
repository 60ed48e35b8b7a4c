"""A convolutional classifier whose logits are means of maps, one weight a map and class."""

from torch import nn

from pellucid.shapes import Batch, ScoreAnswer


class GapCNN(nn.Module):
    """Blocks of convolution, ReLU and max-pooling, a last convolution, and its maps' means.

    The head is the one that class activation maps were made for: Zhou et al., CVPR 2016. With the
    defaults the last maps are 7 x 7 of 28 x 28.
    """

    def __init__(
        self,
        shape: tuple[int, int, int] = (1, 28, 28),
        classes: int = 10,
        channels: tuple[int, ...] = (16, 32, 64),
    ) -> None:
        """Draw the weights from the global generator, as PyTorch's layers do.

        Args:
            shape: Channels, height and width of an image.
            classes: How many logits come out.
            channels: Channels after each convolution; all but the last halve height and width.
        """
        super().__init__()
        depth = shape[0]
        self.blocks = nn.Sequential()
        for count in channels[:-1]:
            self.blocks.append(
                nn.Sequential(nn.Conv2d(depth, count, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
            )
            depth = count
        self.convolution = nn.Conv2d(depth, channels[-1], 3, padding=1)
        self.relu = nn.ReLU()
        self.linear = nn.Linear(channels[-1], classes)

    def forward(self, x: Batch) -> ScoreAnswer:
        """Logits (n, classes) of images (n, *shape)."""
        return self.linear(self.relu(self.convolution(self.blocks(x))).mean((2, 3)))

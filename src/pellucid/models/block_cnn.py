"""A convolutional classifier for small colour images: as many blocks as it is given channels."""

from torch import nn

from pellucid.shapes import Batch, ScoreAnswer


class BlockCNN(nn.Module):
    """Blocks of convolution, ReLU and max-pooling, then a hidden layer and logits.

    The defaults make 620,362 weights. Each block halves height and width, which must allow it.
    """

    def __init__(
        self,
        shape: tuple[int, int, int] = (3, 32, 32),
        classes: int = 10,
        channels: tuple[int, ...] = (32, 64, 128),
        hidden: int = 256,
    ) -> None:
        """Draw the weights from the global generator, as PyTorch's layers do.

        Args:
            shape: Channels, height and width of an image.
            classes: How many logits come out.
            channels: Channels after the convolution of each block.
            hidden: Width of the hidden layer.
        """
        super().__init__()
        depth, height, width = shape
        self.blocks = nn.Sequential()
        for count in channels:
            self.blocks.append(
                nn.Sequential(nn.Conv2d(depth, count, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
            )
            depth, height, width = count, height // 2, width // 2
        self.flatten = nn.Flatten()
        self.linear1 = nn.Linear(depth * height * width, hidden)
        self.relu = nn.ReLU()
        self.linear2 = nn.Linear(hidden, classes)

    def forward(self, x: Batch) -> ScoreAnswer:
        """Logits (n, classes) of images (n, *shape)."""
        return self.linear2(self.relu(self.linear1(self.flatten(self.blocks(x)))))

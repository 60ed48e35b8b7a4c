"""A small convolutional classifier: two convolutions, two linear layers."""

from torch import nn

from pellucid.shapes import Batch, ScoreAnswer


class SmallCNN(nn.Module):
    """Two blocks of convolution, ReLU and max-pooling, then a hidden layer and logits.

    The defaults make 206,922 weights. Height and width must be at least 4.
    """

    def __init__(
        self,
        shape: tuple[int, int, int] = (1, 28, 28),
        classes: int = 10,
        channels: tuple[int, int] = (16, 32),
        hidden: int = 128,
    ) -> None:
        """Draw the weights from the global generator, as PyTorch's layers do.

        Args:
            shape: Channels, height and width of an image.
            classes: How many logits come out.
            channels: Channels after the first and the second convolution.
            hidden: Width of the hidden layer.
        """
        super().__init__()
        depth, height, width = shape
        first, second = channels
        self.conv1 = nn.Conv2d(depth, first, 3, padding=1)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(first, second, 3, padding=1)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.linear1 = nn.Linear(second * (height // 4) * (width // 4), hidden)
        self.relu3 = nn.ReLU()
        self.linear2 = nn.Linear(hidden, classes)

    def forward(self, x: Batch) -> ScoreAnswer:
        """Logits (n, classes) of images (n, *shape)."""
        x = self.pool1(self.relu1(self.conv1(x)))
        x = self.pool2(self.relu2(self.conv2(x)))
        return self.linear2(self.relu3(self.linear1(self.flatten(x))))

"""A residual network for small images: one block a stage, ResNet-8 by default."""

from torch import Tensor, nn

from pellucid.shapes import Batch, ScoreAnswer


class ResidualBlock(nn.Module):
    """Two convolutions with batch normalisation, added to what comes in."""

    def __init__(self, depth: int, channels: int, stride: int) -> None:
        """Draw the weights from the global generator, as PyTorch's layers do."""
        super().__init__()
        self.conv1 = nn.Conv2d(depth, channels, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.short = nn.Sequential()  # nothing, where the sizes stay
        if stride != 1 or depth != channels:
            self.short.append(nn.Conv2d(depth, channels, 1, stride=stride, bias=False))
            self.short.append(nn.BatchNorm2d(channels))
        self.relu2 = nn.ReLU()

    def forward(self, x: Batch) -> Tensor:
        """Maps (n, channels, height, width), smaller by the stride."""
        inner = self.relu1(self.norm1(self.conv1(x)))
        return self.relu2(self.norm2(self.conv2(inner)) + self.short(x))


class ResNet(nn.Module):
    """A convolution, stages of residual blocks, the mean over each map, and logits.

    The networks for CIFAR-10 of He et al., CVPR 2016, section 4.2, with 6 x blocks + 2 layers.
    """

    def __init__(
        self,
        shape: tuple[int, int, int] = (3, 32, 32),
        classes: int = 10,
        channels: tuple[int, ...] = (16, 32, 64),
        blocks: int = 1,
    ) -> None:
        """Draw the weights from the global generator, as PyTorch's layers do.

        Args:
            shape: Channels, height and width of an image.
            classes: How many logits come out.
            channels: Channels of each stage; each but the first halves height and width.
            blocks: Residual blocks a stage.
        """
        super().__init__()
        depth = channels[0]
        self.conv = nn.Conv2d(shape[0], depth, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(depth)
        self.relu = nn.ReLU()
        self.stages = nn.Sequential()
        for number, count in enumerate(channels):
            stage = nn.Sequential()
            for block in range(blocks):
                stage.append(ResidualBlock(depth, count, 2 if number and not block else 1))
                depth = count
            self.stages.append(stage)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.linear = nn.Linear(depth, classes)

    def forward(self, x: Batch) -> ScoreAnswer:
        """Logits (n, classes) of images (n, *shape)."""
        maps = self.stages(self.relu(self.norm(self.conv(x))))
        return self.linear(self.flatten(self.pool(maps)))

"""Reference networks: small ones that claims, tests and the first audit stand on."""

from pellucid.models.block_cnn import BlockCNN
from pellucid.models.builtin import BUILTINS, Facts, builtin
from pellucid.models.integer_net import IntegerNet
from pellucid.models.mixer import Mixer
from pellucid.models.res_net import ResNet
from pellucid.models.small_cnn import SmallCNN
from pellucid.models.vit import ViT

__all__ = [
    "BUILTINS",
    "BlockCNN",
    "Facts",
    "IntegerNet",
    "Mixer",
    "ResNet",
    "SmallCNN",
    "ViT",
    "builtin",
]

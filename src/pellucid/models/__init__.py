"""Reference networks: small ones that claims, tests and the first audit stand on."""

from pellucid.models.block_cnn import BlockCNN
from pellucid.models.builtin import BUILTINS, Facts, builtin
from pellucid.models.integer_net import IntegerNet
from pellucid.models.small_cnn import SmallCNN

__all__ = ["BUILTINS", "BlockCNN", "Facts", "IntegerNet", "SmallCNN", "builtin"]

"""Reference networks: small ones that claims, tests and the first audit stand on."""

from pellucid.models.builtin import BUILTINS, Facts, builtin
from pellucid.models.integer_net import IntegerNet
from pellucid.models.small_cnn import SmallCNN

__all__ = ["BUILTINS", "Facts", "IntegerNet", "SmallCNN", "builtin"]

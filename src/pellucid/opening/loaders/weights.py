"""Loads weights into a network from a safetensors file, to the last name and size."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from pellucid.errors import UserError

PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl")
NAMED = 3  # names that a sentence lists


class BadWeights(UserError):
    """A file of weights is missing, is no safetensors file, or is another network's."""


def conversion(path: str, key: str | None = None) -> str:
    """A line of Python that writes a pickled state dict as safetensors, without trusting it.

    Args:
        path: the pickle.
        key: where the state dict stands in it, if it holds more than that.
    """
    target = str(Path(path).with_suffix(".safetensors"))
    entry = "" if key is None else f"[{key!r}]"
    return (
        "import torch; from safetensors.torch import save_file; "
        f"save_file(torch.load({path!r}, weights_only=True){entry}, {target!r})"
    )


def read_weights(path: str) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name.

    Raises:
        BadWeights: the file is missing or no safetensors file.
    """
    file = Path(path)
    if not file.is_file():
        raise BadWeights(f"There is no file of weights at {path}: check the path.")
    if file.suffix.lower() in PICKLES:
        raise BadWeights(
            f"{path} is a pickle, and weights are read from safetensors alone: convert it with "
            f"`{conversion(path)}`."
        )
    try:
        return load_file(file)
    except (SafetensorError, OSError) as error:
        raise BadWeights(
            f"{path} cannot be read as a safetensors file ({error}): save it again with "
            "safetensors.torch.save_file(model.state_dict(), path)."
        ) from error


def load_weights(module: nn.Module, weights: Mapping[str, Tensor], path: str) -> list[str]:
    """Load weights into the module; sentences on those that were converted.

    Raises:
        BadWeights: a name is missing, unexpected or of another shape.
    """
    own = {name: value for name, value in module.state_dict().items() if not is_lazy(value)}
    both = [name for name in own if name in weights]
    misshapen = [name for name in both if own[name].shape != weights[name].shape]
    if misshapen:
        first = misshapen[0]
        stored, wanted = tuple(weights[first].shape), tuple(own[first].shape)
        differ = "differs" if len(misshapen) == 1 else "differ"
        raise BadWeights(
            f"{path} holds another network's weights, as {listed(misshapen)} {differ} in shape "
            f"({first} is {stored} in the file, {wanted} in the network): give the file that "
            "belongs to this network."
        )
    kinds = {(weights[n].dtype, own[n].dtype) for n in both if weights[n].dtype != own[n].dtype}
    missing, unexpected = module.load_state_dict(weights, strict=False)
    for names, what in ((_untied(module, missing, weights), "lacks"), (unexpected, "also holds")):
        if names:
            raise BadWeights(
                f"{path} {what} {listed(names)}: give the file that belongs to this network."
            )
    lines = sorted(f"Weights of {path} were converted from {a} to {b}." for a, b in kinds)
    return [line.replace("torch.", "") for line in lines]


def _untied(module: nn.Module, missing: Sequence[str], given: Mapping[str, Tensor]) -> list[str]:
    """The missing names whose memory is not a given one's: files hold tied weights once."""
    own = module.state_dict()
    places = {_place(own[name]) for name in given if name in own}
    return [name for name in missing if _place(own[name]) not in places]


def _place(value: Tensor) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    return value.data_ptr(), tuple(value.shape), value.stride()


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many there are besides."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more

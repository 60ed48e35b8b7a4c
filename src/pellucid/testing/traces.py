"""What a method could leave behind, put into words that can be compared."""

import hashlib
import pickle

import numpy as np
import torch
from torch import Tensor, nn

HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_state_dict_hooks",
)


def of_process() -> dict[str, str]:
    """The global state that random numbers and gradients depend on.

    Python's own generator is left out: type checkers draw from it, beartype among them.
    """
    return {
        "torch's random state": _hash(torch.get_rng_state().numpy()),
        "numpy's random state": _hash(np.random.get_state()),
        "gradients on or off": str(torch.is_grad_enabled()),
        "the default dtype": str(torch.get_default_dtype()),
        "deterministic algorithms": str(torch.are_deterministic_algorithms_enabled()),
    }


def of_module(module: nn.Module) -> dict[str, str]:
    """The parts of a module, their modes and hooks, and every weight."""
    state: dict[str, str] = {}
    for name, part in module.named_modules():
        where = f"part {name or type(module).__name__!r}"
        state[f"the mode of {where}"] = f"training {part.training}"
        state[f"the attributes of {where}"] = " ".join(sorted(vars(part)))
        for hooks in HOOKS:
            state[f"{hooks} of {where}"] = str(len(getattr(part, hooks)))
    for name, weight in [*module.named_parameters(), *module.named_buffers()]:
        state[f"weight {name}"] = of_tensor(weight)
        state[f"the gradient of {name}"] = "none" if weight.grad is None else of_tensor(weight.grad)
    return state


def of_tensor(tensor: Tensor) -> str:
    """The bits of a tensor, how often it was written to, and whether it wants gradients."""
    bits = _hash(tensor.detach().cpu().numpy())
    return f"{tuple(tensor.shape)} {bits} version {tensor._version} {tensor.requires_grad}"


def differences(before: dict[str, str], after: dict[str, str]) -> str:
    """What is not as it was, by name; empty if all is."""
    names = [name for name in before | after if before.get(name) != after.get(name)]
    return ", ".join(names)


def _hash(value: object) -> str:
    return hashlib.sha256(pickle.dumps(value)).hexdigest()

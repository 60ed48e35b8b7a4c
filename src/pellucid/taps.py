"""Taps: read or rewrite activations inside a module by name."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import partial

from torch import Tensor, nn

from pellucid.errors import UserError

Rewrite = Callable[[str, Tensor], Tensor]


@contextmanager
def tap(
    module: nn.Module, pattern: str, rewrite: Rewrite | None = None
) -> Iterator[dict[str, Tensor]]:
    """Record the outputs of the submodules whose names match a shell pattern.

    Yields a dict from name to the activation of the latest pass, still attached to its graph.
    `rewrite(name, activation)` may return another tensor, which the pass goes on with and the
    dict then holds. The hooks are removed however the block ends. Raises UserError if no name
    matches.
    """
    names = [name for name, _ in module.named_modules() if fnmatchcase(name, pattern)]
    if not names:
        every = [name for name, _ in module.named_modules() if name]
        near = get_close_matches(pattern, every, n=3, cutoff=0.3) or every[:3]
        raise UserError(f"No layer is named like {pattern!r}; names here are {', '.join(near)}.")
    activations: dict[str, Tensor] = {}

    def read(name: str, _module: nn.Module, _args: tuple[Tensor, ...], output: Tensor) -> Tensor:
        activations[name] = output if rewrite is None else rewrite(name, output)
        return activations[name]

    with ExitStack() as hooks:
        for name in names:
            handle = module.get_submodule(name).register_forward_hook(partial(read, name))
            hooks.callback(handle.remove)
        yield activations

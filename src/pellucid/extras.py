"""What is said where a part of Pellucid needs packages that are not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from pellucid.errors import UserError


class MissingExtra(UserError):
    """A part of Pellucid needs packages that are not installed."""


@contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Import optional packages in the block.

    Args:
        name: the extra of this package that installs them.
        what: what they are needed for, as the start of a sentence.

    Raises:
        MissingExtra: one of them is not installed, or cannot be imported.
    """
    try:
        yield
    except ImportError as error:
        missing = error.name or "a package"
        raise MissingExtra(
            f"{what} needs {missing}, which cannot be imported here: install it with "
            f"`pip install 'pellucid[{name}]'`."
        ) from error

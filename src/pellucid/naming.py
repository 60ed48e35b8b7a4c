"""What is said to a user who asks for a name that does not exist."""

from collections.abc import Iterable
from difflib import get_close_matches

from pellucid.errors import UserError


class UnknownName(UserError, LookupError):
    """Nothing of that kind has this name."""


def unknown(
    kind: str, name: str, known: Iterable[str], error: type[UnknownName] = UnknownName
) -> UnknownName:
    """The error to raise: it names the nearest names, or all of them where none is near."""
    names = sorted(known)
    near = get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"choose one of {', '.join(names)}."
    return error(f"There is no {kind} called '{name}': {hint}")

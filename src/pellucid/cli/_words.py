"""Numbers as the terminal shows them."""


def percent(share: object) -> str:
    """A share as a percentage."""
    return f"{share:.1%}" if isinstance(share, float) else ""


def number(value: object) -> str:
    """A number to three digits."""
    return f"{value:.3g}" if isinstance(value, float) else ""

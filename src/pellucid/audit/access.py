"""Kinds of access by name."""

from pellucid.box.protocols import GRANTS, Access


def named(protocol: type) -> Access:
    """The word by which a user grants such a box."""
    return next(name for name, granted in GRANTS.items() if granted is protocol)

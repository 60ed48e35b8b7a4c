"""What is said of data that a user brings and that cannot be used."""

from pellucid.errors import UserError


class BadData(UserError):
    """Data cannot be used as it stands."""

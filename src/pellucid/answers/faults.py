"""What can go wrong with a store of answers."""

from pellucid.errors import UserError


class BadStore(UserError):
    """A place where no answers can be kept, or that holds something else."""


class StoreFailed(UserError):
    """The store could not be read or written any more."""

    exit_code = 3


class BudgetSpent(UserError):
    """A request was not sent, for its rows would have passed the budget of the store."""

    exit_code = 3

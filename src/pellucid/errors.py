"""The base of every error that a user can cause, and so can mend."""


class UserError(Exception):
    """One sentence that says what was wrong and what to do.

    The command line prints it and leaves with `exit_code`: 2 for a question that cannot be asked
    as it stands, 3 (set by a subclass) for one that was asked and could not be finished.
    """

    exit_code = 2

"""What can go wrong with an endpoint."""

from pellucid.errors import UserError


class BadEndpoint(UserError):
    """The endpoint cannot be asked like this: a wrong address, no such model, a refusal."""


class BadAnswer(UserError):
    """The endpoint answered, but not what was agreed."""

    exit_code = 3


class EndpointDown(UserError):
    """The endpoint did not answer, however often it was asked."""

    exit_code = 3


class PassingFault(Exception):
    """One attempt failed in a way that may have passed by the next one."""

    def __init__(self, reason: str, *, attempts: int, wait: float = 0.0) -> None:
        """Say why, how many attempts such a fault is worth in all, and the least pause."""
        super().__init__(reason)
        self.attempts, self.wait = attempts, wait

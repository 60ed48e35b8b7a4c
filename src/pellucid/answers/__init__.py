"""Stored answers: what was bought once is not bought again, and every request is in the books."""

from pellucid.answers.faults import BadStore, BudgetSpent, StoreFailed
from pellucid.answers.store import Answers

__all__ = ["Answers", "BadStore", "BudgetSpent", "StoreFailed"]

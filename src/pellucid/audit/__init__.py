"""Audits: a model asked by every attack that its box allows, within one budget."""

from pellucid.audit.audit import Stopped, run
from pellucid.audit.finding import Audit, Cost, Finding, NotTested

__all__ = ["Audit", "Cost", "Finding", "NotTested", "Stopped", "run"]

"""The page that says what an audit found: one file, which needs no network and also prints."""

from pellucid.audit.report.page import render

__all__ = ["render"]

"""Findings as an audit leaves them, for the tests of what reads them."""

from pellucid.audit.finding import Finding

EVASION = {"atlas": ("AML.T0043.001", "AML.T0015"), "owasp": ("ML01:2023",)}


def finding(check="clean.accuracy", severity="none", system=None, access="label", **facts):
    """A finding with what a test does not care about filled in."""
    told = {"figures": {}, "text": "The model stays right on 3 of 10 rows."} | facts
    return Finding(check=check, system=system, severity=severity, access=access, **told)


def findings():
    """One of each severity."""
    return [
        finding("clean.accuracy"),
        finding("falsify.square.linf", "critical", "square", **EVASION),
        finding("falsify.hopskipjump.l2", "high", "hopskipjump", **EVASION),
        finding("clean.calibration", "medium"),
        finding("explain.lime", "low", "lime"),
    ]

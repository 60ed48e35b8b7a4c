"""An audit's findings as SARIF 2.1.0, which dashboards for security read.

What passed is no result: code scanning on GitHub takes each result for a problem, whatever its
`kind`. It stands among the rules, which are all checks that ran. Results have a line, and
locations no scheme, because GitHub refuses a whole file for one that has it otherwise.
Source: OASIS, Static Analysis Results Interchange Format (SARIF) 2.1.0, 2020.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import pellucid
from pellucid.audit.finding import Finding, NotTested
from pellucid.audit.location import location
from pellucid.audit.sarif_rules import LEVELS, Json, rule, severity, taxa, taxonomies

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(
    findings: Sequence[Finding],
    *,
    reference: str,
    base: Path,
    finished: bool,
    not_tested: Sequence[NotTested] = (),
    accepted: Mapping[str, str] | None = None,
) -> str:
    """The text of a SARIF file: one run, one rule a check, one result a finding that is not none.

    Args:
        findings: of one audit, one a check.
        reference: the model, as `pellucid.open` took it.
        base: the folder that relative paths are taken from.
        finished: whether the audit came to its end.
        not_tested: checks that did not run; they are told as notifications.
        accepted: why findings are accepted, by check; these are suppressed.
    """
    uri = location(reference, base)
    failed = [finding for finding in findings if finding.severity != "none"]
    rules = {finding.check: index for index, finding in enumerate(findings)}
    standards = taxonomies(findings)
    driver = {
        "name": "Pellucid",
        "version": pellucid.__version__,
        "semanticVersion": pellucid.__version__,
        "rules": [rule(finding) for finding in findings],
        "supportedTaxonomies": [
            {"name": one["name"], "index": index} for index, one in enumerate(standards)
        ],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"pellucid/{uri}/"},  # one model's run ends no other's alerts
        "invocations": [
            {
                "executionSuccessful": finished,
                "toolExecutionNotifications": [_notification(one) for one in not_tested],
            }
        ],
        "artifacts": [{"location": {"uri": uri}, "roles": ["analysisTarget"]}],
        "results": [
            _result(finding, rules[finding.check], uri, accepted or {}) for finding in failed
        ],
        "taxonomies": standards,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _result(finding: Finding, index: int, uri: str, accepted: Mapping[str, str]) -> Json:
    mark = sha256(f"{finding.check}\n{uri}".encode()).hexdigest()[:32]
    place = {"artifactLocation": {"uri": uri, "index": 0}, "region": {"startLine": 1}}
    reason = accepted.get(finding.check)
    suppression = {"kind": "external", "status": "accepted", "justification": reason}
    return {
        "ruleId": finding.check,
        "ruleIndex": index,
        "kind": "fail",
        "level": LEVELS[finding.severity],
        "message": {"text": finding.text},
        "locations": [{"physicalLocation": place}],
        "fingerprints": {"checkAndModel/v1": mark},
        "partialFingerprints": {"primaryLocationLineHash": f"{mark}:1"},  # the one GitHub reads
        "suppressions": [] if reason is None else [suppression],
        "taxa": taxa(finding),
        "properties": {"severity": finding.severity} | severity(finding),
    }


def _notification(one: NotTested) -> Json:
    text = f"Not tested: {one.check}, for {one.reason.rstrip('.')}."
    return {"level": "note", "message": {"text": text}}

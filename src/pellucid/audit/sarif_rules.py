"""The rules of a SARIF file: what each check asks, and which known threats it stands for."""

from collections.abc import Sequence

from pellucid.audit.finding import Finding
from pellucid.audit.severity import Level
from pellucid.audit.threats import NAMES, URLS

Json = dict[str, object]

LEVELS: dict[Level, str] = {
    "none": "none",
    "low": "note",
    "medium": "warning",
    "high": "error",
    "critical": "error",
}
SCORES: dict[Level, str] = {  # as GitHub reads them: above 9 critical, from 7 high, from 4 medium
    "low": "3.0",
    "medium": "5.0",
    "high": "8.0",
    "critical": "9.5",
}
ABOUT = {  # by the first words of a check's name, the most that fit
    "": "What a check of an audit found.",
    "clean": "How the model does on rows as they are.",
    "clean.accuracy": "How often the model is right on rows as they are.",
    "clean.classes": "How often the model is right on rows of its worst class.",
    "clean.slices": "How often the model is right on its worst slice of the rows.",
    "clean.calibration": "How far the model's confidence is from how often it is right.",
    "clean.corruptions": "How often the model stays right under noise, blur and other corruptions.",
    "falsify": "How often the model stays right when an attack moves its inputs.",
    "falsify.strongest": "How often the model stays right under the strongest attack known here.",
    "falsify.traps": "Whether the model has what makes attacks look weaker than they are.",
    "falsify.worst": "How often the model stays right when all attacks of the audit are tried.",
    "prove": "How often it is proven that no input in reach changes the model's answer.",
    "explain": "Whether what an explanation points at is what the model's answer rests on.",
    "property": "Whether the model's outputs keep what a specification asks of them.",
}
HELP = (
    "The severity is that of the lower confidence bound against the plan's limits. The figures are "
    "in audit.json and report.html beside this file."
)
ATLAS: Json = {
    "name": "MITRE ATLAS",
    "organization": "MITRE",
    "informationUri": "https://atlas.mitre.org/",
    "shortDescription": {"text": "Adversarial Threat Landscape for AI Systems"},
}
OWASP: Json = {
    "name": "OWASP Machine Learning Security Top Ten",
    "organization": "OWASP",
    "informationUri": URLS["ML"],
    "shortDescription": {"text": "The ten leading security risks of machine learning systems"},
}


def rule(finding: Finding) -> Json:
    """The reporting descriptor of a finding's check."""
    about = ABOUT[max((name for name in ABOUT if _begins(finding.check, name)), key=len)]
    method = "" if finding.system is None else f" Method: {finding.system}."
    tags = ["security", "machine-learning", *finding.atlas, *finding.owasp]
    return {
        "id": finding.check,
        "name": "".join(part.capitalize() for part in finding.check.replace("-", ".").split(".")),
        "shortDescription": {"text": about},
        "fullDescription": {"text": about + method},
        "help": {"text": f"{about}{method} {HELP}"},
        "defaultConfiguration": {"level": LEVELS[finding.severity]},
        "relationships": [{"target": target, "kinds": ["relevant"]} for target in taxa(finding)],
        "properties": {"tags": tags} | severity(finding),
    }


def severity(finding: Finding) -> Json:
    """The number by which dashboards sort; a check without a fault has none."""
    score = SCORES.get(finding.severity)
    return {} if score is None else {"security-severity": score}


def taxa(finding: Finding) -> list[Json]:
    """References to the known threats that a finding stands for."""
    return [
        {"id": one, "toolComponent": {"name": standard["name"]}}
        for standard, ids in ((ATLAS, finding.atlas), (OWASP, finding.owasp))
        for one in ids
    ]


def taxonomies(findings: Sequence[Finding]) -> list[Json]:
    """The catalogues that the findings name, each with the entries that they name."""
    atlas = sorted({one for finding in findings for one in finding.atlas})
    owasp = sorted({one for finding in findings for one in finding.owasp})
    named = [(ATLAS, atlas), (OWASP, owasp)]
    return [standard | {"taxa": list(map(_taxon, ids))} for standard, ids in named if ids]


def _taxon(name: str) -> Json:
    url = URLS["AML" if name.startswith("AML") else "ML"].format(id=name)
    return {"id": name, "name": NAMES.get(name, name), "helpUri": url}


def _begins(check: str, name: str) -> bool:
    return not name or f"{check}.".startswith(f"{name}.")

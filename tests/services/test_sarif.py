"""SARIF as the official schema and GitHub's rules of ingestion see it."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft4Validator
from tests.audit.findings import findings
from tests.services.npm import installed

from pellucid.audit.finding import NotTested
from pellucid.audit.sarif import sarif

pytestmark = pytest.mark.services

# the first carries the schema, the second the validator of SARIF's editors
PACKAGES = ("@microsoft/jest-sarif@1.0.0-beta.0", "@microsoft/sarif-multitool-linux@5.7.0")


@pytest.fixture(scope="module")
def modules():
    """The folder of the two packages, installed once."""
    return installed("sarif", PACKAGES) / "@microsoft"


@pytest.fixture(params=["nets/signs.onnx", "http://127.0.0.1:8080/v2/models/signs"])
def text(request):
    skipped = [NotTested(check="prove.crown.linf", reason="it needs access 'white'")]
    return sarif(
        findings(),
        reference=request.param,
        base=Path("/home/ann"),
        finished=True,
        not_tested=skipped,
        accepted={"clean.calibration": "Ann accepts it until 2030-01-01."},
    )


def test_the_official_schema_holds(modules, text):
    schema = modules / "jest-sarif" / "lib" / "schemas" / "sarif-2.1.0-rtm.5.json"
    validator = Draft4Validator(json.loads(schema.read_text()))
    log = json.loads(text)
    assert [error.message for error in validator.iter_errors(log)] == []
    log["runs"][0]["results"][0]["kind"] = "wrong"
    assert not validator.is_valid(log)


def complaints(modules, path):
    """What GitHub's rules of ingestion say against a file."""
    tool = modules / "sarif-multitool-linux" / "Sarif.Multitool"
    tool.chmod(0o755)
    out = path.with_suffix(".out")
    subprocess.run(
        [tool, "validate", path, "--rule-kind", "Ghas", "--output", out],
        check=True,
        capture_output=True,
        env=os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
    )
    return [result["ruleId"] for result in json.loads(out.read_text())["runs"][0]["results"]]


def test_github_would_take_it(modules, text, tmp_path):
    path = tmp_path / "audit.sarif"
    path.write_text(text)
    assert complaints(modules, path) == []
    log = json.loads(text)
    log["runs"][0]["results"][0]["locations"] = []
    placeless = tmp_path / "placeless.sarif"
    placeless.write_text(json.dumps(log))
    assert "GH2012" in complaints(modules, placeless)

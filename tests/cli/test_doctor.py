"""`pellucid doctor`, beside libraries that are broken for real (though small)."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow  # each test imports every library in a process of its own

PELLUCID = [sys.executable, "-c", "from pellucid.cli.main import main; main()", "doctor"]


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """Put a distribution in front of the others that fails as it is imported."""

    def broken(distribution, failure):
        facts = tmp_path / f"{distribution}-9.9.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 9.9\n"
        )
        (tmp_path / f"{distribution}.py").write_text(failure)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return broken


def examine():
    done = subprocess.run([*PELLUCID, "--json"], capture_output=True, text=True)
    report = json.loads(done.stdout)
    return done.returncode, report["able"], {check["name"]: check for check in report["checks"]}


def test_this_machine_can_audit(monkeypatch, tmp_path):
    monkeypatch.setenv("PELLUCID_DATA", str(tmp_path / "absent"))
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path / "new" / "cache"))
    code, able, checks = examine()
    assert (code, able) == (0, True)
    assert {"python", "torch", "onnx", "onnxruntime", "lightning-fabric"} <= set(checks)
    assert "build" in checks["torch"]["detail"]
    assert checks["PELLUCID_DATA"]["state"] == "note"
    assert checks["cache"] == {
        "name": "cache",
        "state": "ok",
        "detail": str(tmp_path / "new" / "cache"),
    }


def test_a_torchvision_that_does_not_fit_is_explained_and_stops_nothing(broken):
    broken("torchvision", 'raise RuntimeError("operator torchvision::nms does not exist")')
    code, able, checks = examine()
    assert (code, able) == (0, True)
    assert checks["torchvision"]["state"] == "note"
    for word in ("9.9", "torchvision::nms does not exist", "another torch", "pip uninstall"):
        assert word in checks["torchvision"]["detail"]


@pytest.mark.parametrize(
    ("failure", "reason"),
    [('raise OSError("no shared object")', "no shared object"), ("import os; os.abort()", "-6")],
)
def test_a_library_that_an_audit_needs_is_a_problem(broken, failure, reason):
    broken("scipy", failure)
    code, able, checks = examine()
    assert (code, able) == (3, False)
    assert checks["scipy"]["state"] == "problem"
    assert reason in checks["scipy"]["detail"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_that_cannot_be_written_is_noted(monkeypatch, tmp_path):
    tmp_path.chmod(0o500)
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path / "cache"))
    assert examine()[2]["cache"]["state"] == "note"

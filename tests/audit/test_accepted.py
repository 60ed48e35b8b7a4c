"""Accepted findings: whom they let through, when they end, and what is wrong with a file."""

from datetime import date

import pytest
from tests.audit.findings import finding

from pellucid.audit.accepted import Acceptance, read, standing
from pellucid.errors import UserError

CHECKS = ("falsify.square.linf", "clean.accuracy")
ENTRY = """
[[accepted]]
check = "falsify.square.linf"
severity = "high"
owner = "Ann"
expires = 2030-01-31
reason = "Nobody reaches the camera's inputs."
"""
ANN = Acceptance(
    check="falsify.square.linf",
    severity="high",
    owner="Ann",
    expires=date(2030, 1, 31),
    reason="Nobody reaches the camera's inputs.",
)
FOUND = [finding("falsify.square.linf", "high"), finding("clean.accuracy", "low")]


@pytest.fixture
def file(tmp_path):
    def written(text):
        path = tmp_path / "accepted.toml"
        path.write_text(text)
        return path

    return written


def names(findings):
    return [one.check for one in findings]


def test_a_file_is_read(file):
    other = ENTRY.replace("Ann", "Bo") + 'model = "net.onnx"\n'
    first, second = read(file(ENTRY + other), CHECKS)
    assert first == ANN
    assert (second.owner, second.model) == ("Bo", "net.onnx")
    assert read(file(""), CHECKS) == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('owner = "Ann"\n', "", r"entry 1.owner: field required"),
        ('"Ann"', '" "', r"entry 1.owner: string should have at least 1"),
        ("expires = 2030-01-31\n", "", r"entry 1.expires: field required"),
        ("2030-01-31", '"next year"', r"entry 1.expires: input should be a valid date"),
        ("2030-01-31", "20300131", r"entry 1.expires: input should be a valid date"),
        ('"high"', '"hihg"', r"entry 1.severity: input should be 'none', 'low'"),
        ("owner", "ower", r"entry 1.(owner|ower): "),
        ("square", "sqare", "no check called 'falsify.sqare.linf': did you mean falsify.square"),
        ("[[accepted]]", "[accepted]", r"write \[\[accepted\]\] over each"),
        ("[[accepted]]", "[[acceptd]]", r"\[\[acceptd\]\], which mean nothing"),
        ("[[accepted]]", "accepted = 3", r"write \[\[accepted\]\] over each|as TOML"),
        ("[[accepted]]", "[[accepted", "as TOML"),
    ],
)
def test_what_is_wrong_with_a_file_is_a_sentence(file, old, new, said):
    assert old in ENTRY
    with pytest.raises(UserError, match=said) as caught:
        read(file(ENTRY.replace(old, new)), CHECKS)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_file_that_is_not_there_or_no_text_is_a_sentence(tmp_path):
    with pytest.raises(UserError, match="no file at"):
        read(tmp_path / "none.toml", CHECKS)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="as TOML"):
        read(tmp_path / "bytes.toml", CHECKS)


def test_what_is_accepted_does_not_stand_open_until_its_last_day_is_over():
    now = standing([ANN], FOUND, model="net.onnx", today=date(2030, 1, 31))
    assert names(now.open(FOUND)) == ["clean.accuracy"]
    assert now.warnings() == []
    assert now.reasons() == {
        "falsify.square.linf": (
            "Accepted by Ann until 2030-01-31: Nobody reaches the camera's inputs."
        )
    }
    later = standing([ANN], FOUND, model="net.onnx", today=date(2030, 2, 1))
    assert names(later.open(FOUND)) == names(FOUND)
    (said,) = later.warnings()
    assert "falsify.square.linf was accepted by Ann until 2030-01-31" in said


@pytest.mark.parametrize(
    ("severity", "model", "accepted"),
    [
        ("high", None, True),
        ("medium", None, True),
        ("critical", None, False),
        ("none", None, False),
        ("high", "net.onnx", True),
        ("high", "other.onnx", False),
    ],
)
def test_only_that_check_up_to_that_severity_on_that_model(severity, model, accepted):
    one = Acceptance(
        check=ANN.check,
        severity="high",
        owner="Ann",
        expires=ANN.expires,
        reason=ANN.reason,
        model=model,
    )
    found = [finding("falsify.square.linf", severity), finding("falsify.square.l2", severity)]
    now = standing([one], found, model="net.onnx", today=date(2030, 1, 1))
    assert list(now.accepted) == (["falsify.square.linf"] if accepted else [])
    assert now.expired == {}


def test_of_two_acceptances_the_one_that_holds_longest_counts():
    old = Acceptance(
        check=ANN.check, severity="high", owner="Bo", expires=date(2029, 1, 1), reason="Earlier."
    )
    now = standing([ANN, old], FOUND, model="net.onnx", today=date(2030, 1, 1))
    assert now.accepted == {ANN.check: ANN}
    assert now.expired == {}

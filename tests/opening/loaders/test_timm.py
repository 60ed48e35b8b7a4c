"""timm cannot be imported here: what is said then."""

import sys

import pytest

import pellucid
from pellucid.errors import UserError


def sentence():
    sys.modules.pop("timm", None)
    with pytest.raises(UserError) as caught:
        pellucid.open("timm:resnet18.a1_in1k")
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_it_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    monkeypatch.delitem(sys.modules, "timm")
    text = sentence()
    assert text.startswith("timm is not installed: run `pip install timm`, with the torchvision")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("raise RuntimeError('operator torchvision::nms does not exist')",
         "(RuntimeError: operator torchvision::nms does not exist)"),
        ("import torchvision_that_is_nowhere", "(ModuleNotFoundError: No module named"),
    ],
)  # fmt: skip
def test_it_is_installed_and_breaks(tmp_path, monkeypatch, line, says):
    (tmp_path / "timm.py").write_text(line)
    monkeypatch.syspath_prepend(tmp_path)
    text = sentence()
    assert f"timm is installed, but cannot be imported {says}" in text
    assert text.endswith(".")

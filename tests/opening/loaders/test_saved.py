"""What torch saves: modules, TorchScript, exported programs; each answers as it did before."""

import pickle
import re
import sys
import warnings

import pytest
import torch
from tests.subjects import Formula
from torch import nn

import pellucid
from pellucid.box.torch_box import digest
from pellucid.errors import UserError
from pellucid.opening import understand
from pellucid.opening.facts import Facts

ROWS = torch.randn(11, 4, generator=torch.Generator().manual_seed(0))


def net(outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, outputs))


class Touch:
    """Unpickles into a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def sentence(path, **facts):
    with pytest.raises(UserError) as caught:
        pellucid.open(str(path), trust=True, **facts)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


def opened(path, shape=(4,)):
    return understand(str(path), declared=Facts(shape=shape), trust=True)


def answers(found):
    return found.box("white").logits(ROWS)


def script(module, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(module), path)


def export(module, path, rows=2, **dynamic):
    torch.export.save(torch.export.export(module, (torch.zeros(rows, 4),), **dynamic), path)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickled_module(tmp_path, zipped):
    path = tmp_path / "m.pt"
    torch.save(net(), path, _use_new_zipfile_serialization=zipped)
    found = opened(path)
    torch.testing.assert_close(answers(found), net().eval()(ROWS))
    assert found.notes == (f"Opening ran what {path} holds.",)


def test_a_torchscript_archive(tmp_path):
    path = tmp_path / "m.ts"
    script(net(), path)
    found = opened(path)  # in training mode, as saved; the box asks in evaluation mode
    torch.testing.assert_close(answers(found), net().eval()(ROWS))
    assert found.notes == (f"Opening ran what {path} holds.",)
    x = ROWS.clone().requires_grad_()
    found.box("gradient").logits(x).sum().backward()
    assert x.grad.abs().sum() > 0


def test_an_exported_program_says_its_shape_and_type(tmp_path):
    path = tmp_path / "m.pt2"
    export(net().eval(), path, dynamic_shapes=({0: torch.export.Dim("rows")},))
    found = understand(str(path), trust=True)
    assert (found.facts.shape, found.facts.dtype, found.most) == ((4,), "float32", "white")
    torch.testing.assert_close(answers(found), net().eval()(ROWS))
    assert found.notes == ()
    x = ROWS.clone().requires_grad_()
    found.box("gradient").logits(x).sum().backward()
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("least", "most", "said"), [(2, 2, "takes 2 rows"), (3, 5, "3 to 5"), (1, 1, "takes 1 rows")]
)
def test_a_program_of_few_rows_is_asked_in_parts(tmp_path, least, most, said):
    path = tmp_path / "m.pt2"
    rows = {} if least == most else {"dynamic_shapes": ({0: torch.export.Dim("n", min=3, max=5)},)}
    export(net().eval(), path, rows=most, **rows)
    found = understand(str(path), trust=True)
    torch.testing.assert_close(answers(found), net().eval()(ROWS))
    torch.testing.assert_close(found.box("score").scores(ROWS[:1]).exp().sum(), torch.tensor(1.0))
    assert said in found.notes[0]


def test_fingerprints_tell_programs_apart_that_differ_in_operators_alone(tmp_path):
    """Their weights and parts are the same."""
    prints = []
    for name, function in (("a", torch.sin), ("b", torch.cos)):
        path = tmp_path / f"{name}.pt2"
        export(Formula(function), path)
        first, again = (
            understand(str(path), declared=Facts(emits="logits"), trust=True) for _ in range(2)
        )
        assert digest(first.model) == digest(again.model)
        prints.append(digest(first.model))
    assert prints[0] != prints[1]


def test_a_program_exported_in_training_mode_is_refused(tmp_path):
    export(net(), tmp_path / "m.pt2")
    assert "exported in training mode" in sentence(tmp_path / "m.pt2")


def test_programs_of_several_tensors_are_refused(tmp_path):
    path = tmp_path / "m.pt2"
    export(Formula(lambda x: (x, x)), path)
    assert "gives 2 outputs" in sentence(path)
    export(Formula(lambda x: {"logits": x}), path)
    assert "answers with a dict" in sentence(path)


def test_weights_alone_are_told_how_to_convert(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for held in (net().state_dict(), {"epoch": 3, "model": net().state_dict()}):
        torch.save(held, "w.pth")
        text = sentence("w.pth", shape=(4,))
        assert "holds weights alone" in text
        exec(re.search("`(.*)`", text).group(1), {})
        (tmp_path / "mine.py").write_text("from tests.opening.loaders.test_saved import net")
        reference = text.rstrip(".").split()[-1].replace("package.module:factory", "mine:net")
        found = understand(reference, declared=Facts(shape=(4,)))
        torch.testing.assert_close(answers(found), net().eval()(ROWS))
        (tmp_path / "w.safetensors").unlink()
    sys.modules.pop("mine")


def test_other_things_in_a_pickle(tmp_path):
    path = tmp_path / "m.pt"
    for held, name in (([1, 2], "list"), ({}, "dict"), (torch.ones(3), "Tensor")):
        torch.save(held, path)
        assert f"holds a {name}, not a torch module" in sentence(path, shape=(4,))


def test_a_pickle_whose_class_is_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gone.py").write_text("from torch import nn\nclass Net(nn.Linear): pass")
    monkeypatch.syspath_prepend(tmp_path)
    import gone

    torch.save(gone.Net(4, 3), "m.pt")
    monkeypatch.undo()
    sys.modules.pop("gone")
    path = tmp_path / "m.pt"
    assert "(ModuleNotFoundError: No module named 'gone')" in sentence(path, shape=(4,))
    monkeypatch.chdir(tmp_path)  # the current folder is looked in
    assert opened(path).outputs == 3
    sys.modules.pop("gone")


@pytest.mark.parametrize("ending", ["pt", "pt2"])
def test_truncated_and_foreign_files(tmp_path, ending):
    path = tmp_path / f"m.{ending}"
    torch.save(net(), path)
    pickled = path.read_bytes()
    script(net(), path)
    scripted = path.read_bytes()
    for content in (
        b"", b"hello" * 99, pickled[: len(pickled) // 2], scripted[: len(scripted) // 2],
        pickle.dumps(3),
    ):  # fmt: skip
        path.write_bytes(content)
        assert "cannot be loaded (" in sentence(path, shape=(4,))


@pytest.mark.parametrize("ending", ["pt", "pth", "ts", "pt2"])
def test_nothing_is_unpickled_without_trust(tmp_path, ending):
    mark, path = tmp_path / "ran", tmp_path / f"evil.{ending}"
    path.write_bytes(pickle.dumps(Touch(mark)))
    with pytest.raises(UserError, match="--trust"):
        pellucid.open(str(path))
    assert not mark.exists()

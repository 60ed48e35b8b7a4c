"""Networks that code makes: whatever the code does, the user reads a sentence."""

import re
import sys
from itertools import count

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import pellucid
from pellucid.errors import UserError
from pellucid.opening import understand
from pellucid.opening.facts import Facts

NUMBERS = count()
NETS = """
import torch
from torch import nn

class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(self.a(x))

class Sums:
    def __call__(self, x):
        return x.sum(1)

    def fingerprint(self):
        return None

def net():
    return nn.Linear(2, 3)

def wide(width=5, *rest, **more):
    return nn.Sequential(nn.Linear(2, width), nn.ReLU())

def chatty():
    print("hello")
    import warnings
    warnings.warn("old weights\\nsecond line")
    return net()

def needs(width, depth=1, *, kind):
    return net()

def leaves():
    raise SystemExit(3)

def breaks():
    raise ValueError("\\n  no data.\\nmore")

def mute():
    raise ZeroDivisionError

def stops():
    raise KeyboardInterrupt

def number():
    return 7

def later():
    import neighbour
    return neighbour.made()

class Odd(Exception):
    def __str__(self):
        return "odd"

def odd():
    raise Odd

three, made, relu = 3, nn.Linear(2, 4), nn.ReLU
"""


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """The name of a module of networks in the current folder, new each time."""
    name = f"nets_{next(NUMBERS)}"
    (tmp_path / f"{name}.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    yield name
    sys.modules.pop(name, None)


def sentence(reference, **facts):
    with pytest.raises(UserError) as caught:
        pellucid.open(reference, shape=(2,), **facts)
    text = str(caught.value)
    assert text.endswith((".", "?"))
    assert "\n" not in text
    assert caught.value.exit_code == 2
    return text


def opened(reference):
    return understand(reference, declared=Facts(shape=(2,), emits="logits"))


def test_a_factory_and_its_weights(nets, tmp_path):
    weights = nn.Linear(2, 3).state_dict()
    save_file(weights, tmp_path / "w.safetensors")
    found = opened(f"{nets}:net@w.safetensors")
    assert torch.equal(found.model.weight, weights["weight"])
    assert found.notes == (f"Opening ran the code of {nets}.",)
    assert found.box("white").labels(torch.zeros(4, 2)).shape == (4,)


def test_drawn_weights_are_the_same_each_time_and_the_generator_is_left_alone(nets):
    state, path = torch.random.get_rng_state(), list(sys.path)
    first, second = opened(f"{nets}:net"), opened(f"{nets}:net")
    assert torch.equal(first.model.weight, second.model.weight)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert sys.path == path
    assert "are random" in first.notes[1]


@pytest.mark.parametrize(("name", "outputs"), [("made", 4), ("wide", 5), ("Tied", 2)])
def test_modules_classes_and_defaults(nets, name, outputs):
    assert opened(f"{nets}:{name}").outputs == outputs


def test_no_weights_are_missed_where_there_are_none(nets):
    assert opened(f"{nets}:relu").notes == (f"Opening ran the code of {nets}.",)


def test_a_factory_may_import_its_neighbour_as_it_runs(nets, tmp_path):
    (tmp_path / "neighbour.py").write_text(f"from {nets} import net as made")
    assert opened(f"{nets}:later").outputs == 3
    del sys.modules["neighbour"]


def test_an_answerer_may_be_made_too(nets):
    box = pellucid.open(f"{nets}:Sums", shape=(2,), emits="values")
    assert box.scores(torch.ones(3, 2)).flatten().tolist() == [2.0] * 3
    save_file({}, "w.safetensors")
    assert "is no torch module" in sentence(f"{nets}:Sums@w.safetensors", emits="values")


def test_what_a_factory_prints_is_no_output_and_what_it_warns_of_is_a_note(nets, capsys):
    found = opened(f"{nets}:chatty")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "hello\n")
    assert f"Running {nets}:chatty warned: old weights." in found.notes


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nett", "There is no factory in .* called 'nett': did you mean net"),
        ("three", "is a int: name a function"),
        ("number", r"number\(\) gave a int"),
        ("needs", "cannot be called without width, kind"),
        ("leaves", r"leaves\(\) failed \(SystemExit: 3\)"),
        ("breaks", r"breaks\(\) failed \(ValueError: no data\)"),
        ("mute", r"mute\(\) failed \(ZeroDivisionError\)"),
        ("odd", r"failed \(Odd: odd\)"),
    ],
)
def test_a_factory_that_gives_no_network(nets, name, says):
    assert re.search(says, sentence(f"{nets}:{name}"))


def test_an_interrupt_passes(nets):
    with pytest.raises(KeyboardInterrupt):
        pellucid.open(f"{nets}:stops", shape=(2,))


def test_modules_that_cannot_be_imported(nets, tmp_path):
    assert "no Python module called 'nosuch'" in sentence("nosuch.thing:net")
    assert f"no Python module called '{nets}.deeper'" in sentence(f"{nets}.deeper:net")
    (tmp_path / "lacking.py").write_text("import nosuch_either")
    assert "Importing lacking failed (ModuleNotFoundError: No module" in sentence("lacking:net")
    (tmp_path / "leaving.py").write_text("import sys; sys.exit('bye')")
    assert "Importing leaving failed (SystemExit: bye)" in sentence("leaving:net")
    (tmp_path / "wrong.py").write_text("def (")
    assert "Importing wrong failed (SyntaxError" in sentence("wrong:net")
    (tmp_path / "bare.py").write_text("")
    assert "bare defines nothing, so it has no net" in sentence("bare:net")


def test_weights_of_another_network(nets, tmp_path):
    path = tmp_path / "w.safetensors"
    good = {name: value.detach() for name, value in nn.Linear(2, 3).named_parameters()}
    for weights, says in (
        ({"weight": good["weight"]}, "w.safetensors lacks bias:"),
        (good | {"extra": torch.ones(1)}, "also holds extra:"),
        (good | {"weight": torch.ones(3, 5)}, "weight is (3, 5) in the file, (3, 2) in the"),
        ({f"{i}.w": torch.ones(1) for i in range(5)}, "lacks weight, bias"),
        (good | {f"{i}.w": torch.ones(1) for i in range(5)}, "and 2 more"),
    ):
        save_file(weights, path)
        assert says in sentence(f"{nets}:net@w.safetensors")


def test_tied_weights_may_stand_in_a_file_once_or_twice(nets, tmp_path):
    once = {"a.weight": torch.eye(2), "a.bias": torch.ones(2), "b.bias": torch.ones(2)}
    for weights in (once, once | {"b.weight": torch.eye(2)}):
        save_file(weights, tmp_path / "w.safetensors")
        assert torch.equal(opened(f"{nets}:Tied@w.safetensors").model.b.weight, torch.eye(2))


def test_converted_weights_are_told(nets, tmp_path):
    weights = {name: value.half() for name, value in nn.Linear(2, 3).state_dict().items()}
    save_file(weights, tmp_path / "w.safetensors")
    notes = opened(f"{nets}:net@w.safetensors").notes
    assert "Weights of w.safetensors were converted from float16 to float32." in notes


def test_files_that_are_no_weights_are_told_before_any_code_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.py").write_text("open('ran', 'w').close()")
    assert "no file of weights at none.safetensors" in sentence("evil:net@none.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"hello" * 9)
    assert "cannot be read as a safetensors file" in sentence("evil:net@bad.safetensors")
    torch.save(nn.Linear(2, 3).state_dict(), tmp_path / "w.pt")
    text = sentence("evil:net@w.pt")
    assert "is a pickle" in text
    assert not (tmp_path / "ran").exists()
    exec(text.split("`")[1], {})
    assert (tmp_path / "w.safetensors").exists()

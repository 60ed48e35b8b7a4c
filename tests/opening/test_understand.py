"""Who tells which fact, in what order, and what is made of it."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from tests.subjects import Formula
from torch import nn

import pellucid
from pellucid.box.protocols import AccessDenied
from pellucid.errors import UserError
from pellucid.opening import PROBES, Facts, understand
from pellucid.opening.facts import Telling, merged
from pellucid.opening.found import Untrusted
from pellucid.opening.said import beside
from pellucid.spec import Image, OneClass, Vector


def linear(d=12, outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(d, outputs))


def graph(path, module, shape, **options):
    """An ONNX file of a module."""
    x = torch.rand(2, *shape)
    torch.onnx.export(
        module, (x,), path, dynamo=False, input_names=["x"], output_names=["y"],
        dynamic_axes={"x": {0: "n"}, "y": {0: "n"}}, opset_version=17, **options,
    )  # fmt: skip
    return str(path)


def test_the_first_to_tell_is_believed():
    first = Telling(by="one", facts=Facts(shape=(3,), mean=(1.0,)))
    second = Telling(by="two", facts=Facts(shape=(4,), emits="values"))
    facts, by = merged([first, second])
    assert facts == Facts(shape=(3,), mean=(1.0,), emits="values")
    assert by == {"shape": "one", "mean": "one", "emits": "two"}


def test_the_data_are_believed_last():
    data = Facts(shape=(2, 2, 3), bounds=(0.0, 255.0))
    opened = understand(linear(), data=data)
    assert opened.spec().input == Image(shape=(3, 2, 2), low=0.0, high=255.0)
    assert opened.by["bounds"] == "the data"
    declared = understand(linear(), declared=Facts(shape=(12,), bounds=(0.0, 1.0)), data=data)
    assert declared.spec().input == Vector(shape=(12,), low=0.0, high=1.0)


def test_everything_that_is_used_is_told_and_by_whom():
    told = understand(linear(), declared=Facts(shape=(12,), mean=(0.5,))).told()
    assert told["mean"] == {"value": [0.5], "by": "declared"}
    assert told["std"] == {"value": [1.0], "by": "the default"}
    assert told["bounds"]["value"] == [None, None]
    assert told["emits"] == {"value": "logits", "by": f"{PROBES} answers do not lie in [0, 1]"}


def test_a_plane_makes_an_image_and_a_line_does_not():
    assert isinstance(understand(linear(), declared=Facts(shape=(3, 2, 2))).spec().input, Image)
    assert isinstance(understand(linear(5), declared=Facts(shape=(1, 1, 5))).spec().input, Vector)


def test_facts_used_otherwise_ask_nothing_again():
    opened = understand(linear(), declared=Facts(shape=(12,)))
    other = opened.with_facts(Facts(shape=(12,), mean=(1.0,), emits="logits"))
    x = torch.rand(4, 12)
    torch.testing.assert_close(
        other.box("gradient").logits(x), opened.box("gradient").logits(x - 1)
    )
    assert other.asked == opened.asked == PROBES


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"labels": ["cat"]}, "two classes or more"),
        ({"labels": ["cat", "cat", "dog"]}, "each once"),
        ({"labels": ["cat", "dog"]}, "2 labels, but the model has 3 outputs"),
    ],
)
def test_facts_that_no_model_has_are_refused(facts, text):
    with pytest.raises(UserError, match=text):
        pellucid.open(linear(), shape=(12,), **facts)


@pytest.mark.parametrize("fact", ["layout='nchw'", "dtype='bfloat16'", "emits='odds'"])
def test_words_that_are_no_choice_are_refused_without_a_type_checker(fact):
    program = f"from pellucid.opening import Facts; Facts({fact})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "pellucid.errors.UserError: A model cannot" in done.stderr.splitlines()[-1]


def test_whole_numbers_let_no_gradient_through():
    seen = []
    whole = Formula(lambda x: (seen.append(x.dtype), x.float().flatten(1) - 1)[1])
    box = pellucid.open(whole, shape=(3,), bounds=(0.0, 255.0), dtype="uint8", emits="logits")
    assert box.scores(torch.full((1, 3), 2.4)).exp().sum() == pytest.approx(1.0)
    assert set(seen) == {torch.uint8}
    with pytest.raises(AccessDenied, match="uint8"):
        pellucid.open(
            whole, shape=(3,), bounds=(0.0, 255.0), dtype="uint8", emits="logits", access="gradient"
        )


def test_labels_say_how_many_classes_a_model_of_labels_has():
    top = Formula(lambda x: x.argmax(-1))
    opened = understand(top, declared=Facts(shape=(3,), labels=("a", "b", "c")))
    assert opened.spec().answer == OneClass(size=3)


# --- ONNX -----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the exporter's own
def test_a_graph_opens_with_all_that_it_declares(tmp_path):
    module = linear()
    path = graph(tmp_path / "net.onnx", module, (3, 2, 2))
    opened = understand(path)
    assert opened.spec().input == Image(shape=(3, 2, 2), low=0.0, high=1.0)
    assert (opened.most, opened.facts.dtype, opened.facts.output) == ("white", "float32", "y")
    x = torch.rand(5, 3, 2, 2, requires_grad=True)
    logits = opened.box("gradient").logits(x)
    torch.testing.assert_close(logits, module(x))
    (gradient,) = torch.autograd.grad(logits[:, 0].sum(), x)
    torch.testing.assert_close(gradient[0].flatten(), module[1].weight[0])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the exporter's own
def test_a_graph_that_wants_channels_last_is_fed_so(tmp_path):
    flat = nn.Sequential(nn.Flatten(), nn.Linear(2 * 4 * 3, 3))
    opened = understand(graph(tmp_path / "net.onnx", flat, (2, 4, 3)))
    assert opened.spec().input.shape == (3, 2, 4)
    assert (opened.facts.layout, opened.by["layout"]) == (
        "hwc", "the ONNX graph, whose input ends in its channels",
    )  # fmt: skip
    x = torch.rand(5, 3, 2, 4)
    torch.testing.assert_close(opened.box("gradient").logits(x), flat(x.movedim(1, -1)))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the exporter's own
def test_an_operator_that_is_not_imported_costs_the_gradients_alone(tmp_path):
    onnx = pytest.importorskip("onnx")
    nodes = [
        onnx.helper.make_node("Det", ["x"], ["d"], name="volume"),
        onnx.helper.make_node("Unsqueeze", ["d", "axis"], ["u"]),
        onnx.helper.make_node("Neg", ["u"], ["n"]),
        onnx.helper.make_node("Concat", ["u", "n"], ["y"], axis=1),
    ]
    made = onnx.helper.make_graph(
        nodes, "g",
        [onnx.helper.make_tensor_value_info("x", 1, ["n", 2, 2])],
        [onnx.helper.make_tensor_value_info("y", 1, ["n", 2])],
        [onnx.numpy_helper.from_array(np.array([1]), "axis")],
    )  # fmt: skip
    model = onnx.helper.make_model(made, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, tmp_path / "det.onnx")
    opened = understand(str(tmp_path / "det.onnx"), declared=Facts(emits="logits"))
    assert opened.most == "score"
    x = torch.rand(6, 2, 2)
    volume = torch.linalg.det(x)
    want = torch.stack([volume, -volume], 1).log_softmax(-1)
    torch.testing.assert_close(opened.box().scores(x), want)
    with pytest.raises(AccessDenied, match=r"'Det'.*'volume'"):
        opened.box("gradient")


# --- files of facts -------------------------------------------------------------------------


def said(path, text):
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the exporter's own
def test_facts_beside_a_model_are_read(tmp_path):
    path = graph(tmp_path / "net.onnx", linear(), (3, 2, 2))
    facts = 'mean = [0.5]\nlabels = ["a", "b", "c"]\nbounds = [0, 2]'
    said(tmp_path / "model.pellucid.toml", "mean = [0.1]")
    assert understand(path).facts.mean == (0.1,)
    place = said(tmp_path / "net.pellucid.toml", facts)
    opened = understand(path, declared=Facts(bounds=(0.0, 4.0)))
    assert (opened.facts.mean, opened.by["mean"]) == ((0.5,), place)
    assert (opened.facts.labels, opened.facts.bounds) == (("a", "b", "c"), (0.0, 4.0))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the exporter's own
def test_a_file_of_facts_names_its_model(tmp_path):
    graph(tmp_path / "net.onnx", linear(), (3, 2, 2))
    place = said(tmp_path / "signs.pellucid.toml", 'model = "net.onnx"\nstd = [2]')
    assert understand(place).facts.std == (2.0,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("meen = [1]", "mean"),
        ("mean = 'half'", "Facts.mean"),
        ("mean =", "TOML"),
        ("layout = 'nchw'", "layout takes one of chw, hwc"),
        ("dtype = 'bfloat16'", "dtype takes one of"),
        ("model = 3", "model must be"),
        ("std = [1]", "names no model"),
        ("when = 2020-01-01", "TOML|JSON"),
        ("model = 'nothing.onnx'", "nothing.onnx"),
    ],
)
def test_a_file_of_facts_that_says_something_else_is_refused(tmp_path, text, words):
    with pytest.raises(UserError, match=words) as caught:
        understand(said(tmp_path / "net.pellucid.toml", text))
    assert "\n" not in str(caught.value)


def test_a_file_of_facts_runs_no_code_unless_trusted(tmp_path):
    place = said(tmp_path / "net.pellucid.toml", 'model = "antigravity:geohash"')
    with pytest.raises(Untrusted, match="--trust"):
        understand(place)


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("resnet", "names no model"),
        ("net.safetensors", "package.module:factory@net.safetensors"),
        ("missing.pt", "no file at missing.pt"),
        ("missing.onnx", "missing.onnx"),
        ("missing.pellucid.toml", "no file at missing.pellucid.toml"),
        ("http://localhost:1/models/x", "not the address of a model"),
    ],
)
def test_references_that_lead_nowhere(reference, words):
    with pytest.raises(UserError, match=words) as caught:
        understand(reference)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["net.pt", "net.pt2", "net.pkl", "net.joblib", "net.pth"])
def test_nothing_is_unpickled_without_trust(tmp_path, name):
    (tmp_path / name).write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(Untrusted, match="--trust"):
        understand(str(tmp_path / name))


def test_facts_beside_the_weights_of_a_factory_are_read(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(b"")
    said(tmp_path / "w.pellucid.toml", "mean = [0.5]")
    found = beside(f"package.module:factory@{tmp_path / 'w.safetensors'}")
    assert found.facts == Facts(mean=(0.5,))

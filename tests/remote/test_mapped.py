"""Endpoints of plain JSON: many forms of question and answer, and files that fit none."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.remote.server import hang_up, linear, send, serving
from typer.testing import CliRunner

import pellucid
from pellucid.cli.main import app
from pellucid.opening.found import NoModel
from pellucid.remote import BadAnswer, BadEndpoint, Terms
from pellucid.remote.mapped import Mapped
from pellucid.remote.mapping import Mapping, read

X = np.random.default_rng(0).uniform(-1, 1, (5, 4)).astype(np.float32)
NAMES = ("cat", "dog", "hen")
TRUE = linear(X).argmax(1)


@pytest.fixture
def server():
    with serving() as server:
        yield server


def root(server):
    return f"http://127.0.0.1:{server.server_port}"


def scored(rows):
    return linear(np.array(rows, dtype=np.float32))


def scores_in_a_list(asked):
    return {"predictions": scored(asked["instances"]).tolist()}


def scores_by_name(asked):
    assert asked["settings"] == {"explain": False}
    rows = [item["features"]["values"] for item in asked["input"]["rows"]]
    items = [dict(zip(reversed(NAMES), reversed(s), strict=True)) for s in scored(rows).tolist()]
    return {"out": [{"scores": item} for item in items]}


def bare_scores(asked):
    return scored(asked).tolist()


def one_row(asked):
    (scores,) = scored([asked["x"]]).tolist()
    return {"result": {"logits": scores}}


SCORES = [
    (scores_in_a_list, {"rows": "/instances", "answers": "/predictions", "scores": ""}),
    (
        scores_by_name,
        {
            "rows": "/input/rows",
            "row": "/features/values",
            "answers": "/out",
            "scores": "/scores",
            "labels": NAMES,
            "body": {"settings": {"explain": False}},
        },
    ),
    (bare_scores, {"scores": "", "method": "PUT", "path": "/score"}),
    (one_row, {"batch": False, "rows": "/x", "scores": "/result/logits"}),
]


@pytest.mark.parametrize(("plain", "said"), SCORES, ids=lambda one: getattr(one, "__name__", ""))
def test_scores_come_back_as_the_model_gives_them(server, plain, said):
    server.plain = plain
    mapping = Mapping(**said)
    model = Mapped.open(f"{root(server)}/m", mapping)
    np.testing.assert_array_equal(model(X), linear(X))
    method, path, _ = server.requests[-1]
    assert (method, path) == (mapping.method, f"/m{mapping.path}")
    assert len(server.requests) == (1 if mapping.batch else 5)
    assert (model.sender.calls, model.sender.rows) == (len(server.requests), 5)


LABELS = [
    (lambda asked: [{"class": int(c)} for c in scored(asked).argmax(1)], {"label": "/class"}),
    (lambda asked: [{"class": float(c)} for c in scored(asked).argmax(1)], {"label": "/class"}),
    (lambda asked: [NAMES[c] for c in scored(asked).argmax(1)], {"label": "", "labels": NAMES}),
    (
        lambda asked: {"label": NAMES[int(scored([asked]).argmax())]},
        {"label": "/label", "labels": NAMES, "batch": False},
    ),
]


@pytest.mark.parametrize(("plain", "said"), LABELS)
def test_labels_come_back_as_numbers(server, plain, said):
    server.plain = plain
    got = Mapped.open(root(server), Mapping(**said))(X)
    assert got.dtype == np.int64
    np.testing.assert_array_equal(got, TRUE)


def test_one_value_a_row(server):
    server.plain = lambda asked: [sum(row) for row in asked]
    got = Mapped.open(root(server), Mapping(scores=""))(X)
    np.testing.assert_allclose(got, X.astype(np.float64).sum(1, keepdims=True))


@pytest.mark.parametrize(
    ("answer", "said", "words"),
    [
        ({}, {"answers": "/out", "scores": ""}, "nothing stands at /out"),
        ({"out": 3}, {"answers": "/out", "scores": ""}, "no list stands at /out"),
        ([[1, 2]] * 4, {"scores": ""}, "the list at the top has 4 items"),
        ([{"a": 1}] * 5, {"scores": "/b"}, "nothing stands at /b"),
        ([{"a": 1}] * 5, {"scores": ""}, "scores are called a, and the mapping's labels are not"),
        ([{"a": 1}] * 5, {"scores": "", "labels": NAMES}, "are called a, and .* are cat, dog, hen"),
        ([[1, 2], [1], [1], [1], [1]], {"scores": "/0"}, "^$"),
        ([[1, 2], [1], [1], [1], [1]], {"scores": ""}, "different numbers of scores"),
        ([[]] * 5, {"scores": ""}, "no scores stand at"),
        ([["1"]] * 5, {"scores": ""}, "not all numbers"),
        ([[True]] * 5, {"scores": ""}, "^$"),
        (["cow"] * 5, {"label": "", "labels": NAMES}, "'cow' is none of the labels cat, dog, hen"),
        ([-1] * 5, {"label": ""}, "no label stands at"),
        ([1.5] * 5, {"label": ""}, "no label stands at"),
        ([10**30] * 5, {"label": ""}, "no label stands at"),
        ([True] * 5, {"label": ""}, "no label stands at"),
        ([None] * 5, {"label": ""}, "no label stands at"),
    ],
)
def test_an_answer_that_does_not_fit_names_the_place(server, answer, said, words):
    server.plain = lambda _: answer
    model = Mapped.open(root(server), Mapping(**said), Terms(pause=0.001))
    if words == "^$":  # it does fit
        assert len(model(X)) == 5
        return
    with pytest.raises(BadAnswer, match=words) as caught:
        model(X)
    assert "does not fit the mapping" in str(caught.value)
    assert model.sender.calls == 2


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e999"])
@pytest.mark.parametrize("said", [{"label": ""}, {"scores": ""}])
def test_numbers_that_are_none(server, text, said):
    server.script = [send(body=f"[{text}]".encode())] * 2
    model = Mapped.open(root(server), Mapping(**said), Terms(pause=0.001))
    if "label" in said:
        with pytest.raises(BadAnswer, match="no label stands"):
            model(X[:1])
    else:
        assert not np.isfinite(model(X[:1])).any()


TOML = """
path = "/predict"
rows = "/instances"
answers = "/predictions"
scores = ""
labels = ["cat", "dog", "hen"]

[body]
version = 3
"""


def test_a_mapping_is_read_from_a_file(tmp_path):
    path = tmp_path / "signs.toml"
    path.write_text(TOML)
    assert read(path) == Mapping(
        path="/predict", rows="/instances", answers="/predictions", scores="", labels=NAMES,
        body={"version": 3},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("scores", "cannot be read as TOML"),
        ("rows = '/x'", "where the scores stand"),
        ("scores = ''\nlabel = ''", "where the scores stand"),
        ("scores = 'x'", "'x' is no JSON Pointer"),
        ("scores = ''\nrows = 'instances'", "'instances' is no JSON Pointer"),
        ("scores = ''\nrow = '/a~b'", "'/a~b' is no JSON Pointer"),
        ("scores = ''\npath = 'predict'", "no path to follow"),
        ("scores = ''\npath = '/../admin'", "no path to follow"),
        ("scores = ''\npath = '/x?key=1'", "no path to follow"),
        ("scores = ''\npath = '@evil.example/'", "no path to follow"),
        ("scores = ''\nmethod = 'GET'", "POST, PUT"),
        ("scores = ''\nbatch = 1", "true or false"),
        ("scores = ''\ntemplate = 'x'", "template"),
        ("scores = ''\nbody = 3", "a table"),
        ("scores = ''\nrows = '/a/b'\nbody = { a = 3 }", "Nothing can be put at /a/b"),
    ],
)
def test_a_file_that_is_no_mapping_is_a_sentence(tmp_path, text, words):
    path = tmp_path / "signs.toml"
    path.write_text(text)
    with pytest.raises(BadEndpoint, match=words) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_there_is_no_file(tmp_path):
    with pytest.raises(BadEndpoint, match="There is no mapping at"):
        read(tmp_path / "none.toml")


def test_a_box_from_a_mapping(server, tmp_path):
    path = tmp_path / "signs.toml"
    path.write_text(TOML)
    server.plain = scores_in_a_list
    box = pellucid.open(root(server), mapping=path, shape=(4,), emits="logits")
    assert (box.spec.answer.size, len(server.requests)) == (3, 0)
    assert torch.equal(box.labels(torch.from_numpy(X)), torch.from_numpy(TRUE))
    assert box.fingerprint() is not None
    path.write_text('batch = false\nlabel = "/0"\n')
    server.plain = lambda asked: [int(scored([asked]).argmax())]
    box = pellucid.open(root(server), mapping=path, shape=(4,), labels=NAMES, calls_at_once=4)
    assert (box.spec.rows_per_call, box.spec.calls_at_once) == (1, 4)
    assert torch.equal(box.labels(torch.from_numpy(X)), torch.from_numpy(TRUE))
    with pytest.raises(NoModel, match="builtin:digits-cnn is none"):
        pellucid.open("builtin:digits-cnn", mapping=path)


@pytest.mark.parametrize("at_once", [1, 3])
def test_an_audit_through_a_mapping(server, tmp_path, at_once):
    server.plain = scores_in_a_list
    server.script = [hang_up]
    x = np.random.default_rng(1).uniform(-1, 1, (30, 4)).astype(np.float32)
    np.savez(tmp_path / "data.npz", x=x, y=linear(x).argmax(1))
    (tmp_path / "signs.toml").write_text(TOML)
    (tmp_path / "plan.toml").write_text('[[check]]\nkind = "clean.accuracy"\n')
    command = [
        "audit", f"{root(server)}/v1/models/signs", "--mapping", tmp_path / "signs.toml",
        "--data", tmp_path / "data.npz", "--plan", tmp_path / "plan.toml", "--emits", "logits",
        "--out", tmp_path / "out", "--calls-at-once", at_once, "--rows-per-call", 7, "--json",
    ]  # fmt: skip
    done = CliRunner().invoke(app, [*map(str, command)])
    assert done.exit_code == 0, done.output + done.stderr
    (finding,) = json.loads(done.stdout)["findings"]
    assert finding["figures"]["accuracy"] == 1.0
    assert {path for _, path, _ in server.requests} == {"/v1/models/signs/predict"}
    assert max(len(json.loads(said)["instances"]) for _, _, said in server.requests) == 7


def test_the_mapping_of_the_documentation_fits_its_example(server, tmp_path):
    page = Path("docs/endpoints.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "signs.toml").write_text(text)
    mapping = read(tmp_path / "signs.toml")
    (shown,) = re.findall(r'^\{"predictions".*\}$', page, re.MULTILINE)
    server.plain = lambda _: json.loads(shown.replace(", ...", ""))
    got = Mapped.open(f"{root(server)}/v1/models/signs", mapping)(np.zeros((1, 3, 2, 2)))
    np.testing.assert_array_equal(got, [[0.9, 0.1, 0.0]])
    _, path, said = server.requests[-1]
    assert path == "/v1/models/signs/predict"
    zeros = np.zeros((3, 2, 2)).tolist()
    assert json.loads(said) == {"version": 3, "instances": [{"image": zeros}]}

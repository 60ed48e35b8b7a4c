"""Estimators of scikit-learn: what they emit is what sklearn says, and nothing runs untrusted."""

import pickle
import sys
import zipfile

import joblib
import numpy as np
import pytest
import skops.io
import torch
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC

import pellucid
from pellucid.errors import UserError
from pellucid.opening import understand, wrapped
from pellucid.opening.loaders import estimator
from pellucid.spec import OneClass, Values

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
Y = np.array(["ant", "bee", "cat"])[(X[:, 0] > 0).astype(int) + (X[:, 1] > 0.3)]
TWO = np.where(X[:, 0] + X[:, 1] > 0, "yes", "no")
ROWS = torch.from_numpy(RNG.normal(size=(50, 4)))


class Touch:
    """Unpickles into a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def shout(x):
    return x


def sentence(reference, **facts):
    with pytest.raises(UserError) as caught:
        pellucid.open(reference, **facts)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


def pipeline():
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)


def test_a_pipeline_from_skops(tmp_path):
    model, path = pipeline(), tmp_path / "p.skops"
    skops.io.dump(model, path)
    opened = understand(str(path))
    assert opened.facts.labels == ("ant", "bee", "cat")
    assert (opened.facts.emits, opened.facts.shape, opened.most) == ("probabilities", (4,), "score")
    box = opened.box()
    assert box.spec.answer == OneClass(size=3)
    np.testing.assert_allclose(box.scores(ROWS), model.predict_log_proba(ROWS), rtol=1e-9)
    names = np.array(opened.facts.labels)[box.labels(ROWS)]
    assert (names == model.predict(ROWS)).all()


def test_the_fingerprint_is_that_of_the_file(tmp_path):
    skops.io.dump(pipeline(), tmp_path / "a.skops")
    skops.io.dump(LogisticRegression().fit(X, Y), tmp_path / "b.skops")
    first, again, other = (
        understand(str(tmp_path / name)).model.fingerprint()
        for name in ("a.skops", "a.skops", "b.skops")
    )
    assert first == again != other
    assert wrapped(pipeline()).model.fingerprint() is None


@pytest.mark.parametrize(
    "model",
    [LinearSVC(), SVC(), SVC(probability=True), RidgeClassifier(), RandomForestClassifier(9)],
    ids=str,
)
@pytest.mark.parametrize("labels", [TWO, Y], ids=["two", "three"])
@pytest.mark.filterwarnings("ignore:The `probability` parameter")
def test_labels_are_what_the_estimator_predicts(model, labels):
    model.fit(X, labels)
    opened = understand(wrapped(model))
    names = np.array(opened.facts.labels)[opened.box("score").labels(ROWS)]
    assert (names == model.predict(ROWS)).all()


def test_a_margin_of_two_classes_becomes_two_logits():
    model = LinearSVC().fit(X, TWO)
    raw = wrapped(model).model(ROWS.numpy())
    np.testing.assert_array_equal(raw[:, 1] - raw[:, 0], model.decision_function(ROWS))


@pytest.mark.parametrize("labels", [Y, (X[:, 0] > 0), np.where(X[:, 0] > 0, 7, -3)])
def test_answers_of_classes_are_read_as_their_numbers(labels):
    model = LogisticRegression().fit(X, labels)
    opened = understand(wrapped(model, emits="label"))
    assert opened.most == "label"
    answered = model.classes_[opened.box().labels(ROWS)]
    assert (answered == model.predict(ROWS)).all()


def test_what_a_file_is_asked_for_can_be_declared(tmp_path):
    path = str(tmp_path / "m.skops")
    skops.io.dump(pipeline(), path)
    for emits, method in (("logits", "decision_function"), ("probabilities", "predict_proba")):
        box = pellucid.open(path, emits=emits)
        raw = getattr(pipeline(), method)(ROWS)
        np.testing.assert_array_equal(box.labels(ROWS), raw.argmax(-1))
    assert pellucid.open(path, emits="label", access="label").spec.answer == OneClass(size=3)


def test_one_against_one_scores_are_no_logits():
    model = SVC(decision_function_shape="ovo").fit(X, Y)
    assert wrapped(make_pipeline(model).fit(X, Y)).facts.emits == "label"
    assert "cannot answer logits, one a class: declare label" in sentence_of(model, emits="logits")
    assert wrapped(SVC(decision_function_shape="ovo").fit(X, TWO)).facts.emits == "logits"


def sentence_of(model, **told):
    with pytest.raises(UserError) as caught:
        wrapped(model, **told)
    return str(caught.value)


def test_regressors_answer_values():
    one, two = LinearRegression().fit(X, X[:, 0]), LinearRegression().fit(X, X[:, :2])
    assert pellucid.open(wrapped(one)).spec.answer == Values(size=1)
    box = pellucid.open(wrapped(two))
    assert box.spec.answer == Values(size=2)
    np.testing.assert_allclose(box.scores(ROWS), two.predict(ROWS))


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (LogisticRegression(), "This LogisticRegression is not fitted: call fit"),
        (KMeans(2, n_init=1).fit(X), "A KMeans neither classifies nor regresses"),
        ({"a": 1}, "A dict is no estimator of scikit-learn"),
        (RandomForestClassifier(2).fit(X, X > 0), "answers several labels a row"),
        (RidgeClassifier().fit(X, X > 0), "answers several labels a row"),
        (MLPClassifier((2,), max_iter=400, tol=1).fit(X, X > 0), "answers several labels a row"),
        (RandomForestClassifier(2).fit(X, 0 * Y.astype(bool)), "knows one class"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_classifier_of_one_label(model, says):
    assert says in sentence_of(model)


def test_images_are_flattened_where_they_fit():
    model = LogisticRegression().fit(X, Y)
    box = pellucid.open(wrapped(model), shape=(1, 2, 2))
    assert (
        box.labels(ROWS.reshape(-1, 1, 2, 2)) == pellucid.open(wrapped(model)).labels(ROWS)
    ).all()
    assert "fitted to 4 numbers a row" in sentence(wrapped(model), shape=(1, 3, 3))


def test_rows_on_which_an_estimator_fails():
    def picky(x):
        if (x > 1).any():
            raise ValueError("too much")
        return x

    model = make_pipeline(FunctionTransformer(picky), LogisticRegression()).fit(X.clip(max=1), Y)
    box = pellucid.open(wrapped(model))
    with pytest.raises(UserError, match=r"cannot answer these rows \(ValueError: too much\)"):
        box.labels(2 * torch.ones(1, 4))


def test_names_of_columns_are_told():
    model = LogisticRegression().fit(X, Y)
    model.feature_names_in_ = np.array(["a", "b", "c", "d"], dtype=object)
    opened = understand(wrapped(model))
    assert opened.notes == (
        "It was fitted to columns with names: rows hold them in this order, a, b, c, d.",
    )
    opened.box().labels(ROWS)  # sklearn's warning that names are missing would fail this test


def test_types_that_skops_does_not_trust_are_listed_and_not_loaded(tmp_path):
    path = tmp_path / "u.skops"
    model = make_pipeline(FunctionTransformer(shout), LogisticRegression()).fit(X, Y)
    skops.io.dump(model, path)
    text = sentence(str(path), trust=True)
    assert "types that skops does not trust" in text
    assert "shout" in text


def test_files_that_are_no_skops(tmp_path):
    path = tmp_path / "a.skops"
    assert "There is no file at" in sentence(str(path))
    skops.io.dump(pipeline(), path)
    whole = path.read_bytes()
    for content in (b"", b"hello" * 99, whole[: len(whole) // 2], pickle.dumps(pipeline())):
        path.write_bytes(content)
        assert "cannot be read as an estimator" in sentence(str(path))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", "{}")
    assert "cannot be read as an estimator" in sentence(str(path))
    skops.io.dump({"a": 1}, path)
    assert "A dict is no estimator" in sentence(str(path))


def test_a_skops_file_that_unpacks_to_too_much(tmp_path, monkeypatch):
    path = tmp_path / "a.skops"
    skops.io.dump(pipeline(), path)
    monkeypatch.setattr(estimator, "LARGEST", 100)
    assert "GiB" in sentence(str(path))


@pytest.mark.parametrize("ending", ["joblib", "pkl"])
def test_pickles_are_opened_when_they_are_trusted(tmp_path, ending):
    model, path = pipeline(), str(tmp_path / f"m.{ending}")
    joblib.dump(model, path)
    assert "--trust" in sentence(path)
    opened = understand(path, trust=True)
    np.testing.assert_allclose(opened.box().scores(ROWS), model.predict_log_proba(ROWS))
    assert "Opening ran what" in opened.notes[0]


def test_nothing_is_unpickled_without_trust(tmp_path):
    mark, path = tmp_path / "ran", tmp_path / "evil.joblib"
    path.write_bytes(pickle.dumps(Touch(mark)))
    sentence(str(path))
    assert not mark.exists()


def test_pickles_that_are_no_estimator(tmp_path):
    path = tmp_path / "m.pkl"
    path.write_bytes(pickle.dumps(pipeline())[:300])
    assert "cannot be read as an estimator" in sentence(str(path), trust=True)
    path.write_bytes(b"")
    assert "cannot be read as an estimator (EOFError)" in sentence(str(path), trust=True)
    path.write_bytes(pickle.dumps(torch.nn.Linear(2, 2)))
    assert "A Linear is no estimator" in sentence(str(path), trust=True)


def test_another_version_of_sklearn_is_told(tmp_path, monkeypatch):
    path = tmp_path / "m.skops"
    monkeypatch.setattr("sklearn.base.__version__", "1.5.0")
    skops.io.dump(LogisticRegression().fit(X, Y), path)
    monkeypatch.undo()
    (note,) = understand(str(path)).notes
    assert "LogisticRegression from version 1.5.0" in note


@pytest.mark.parametrize(("missing", "ending"), [("skops", "skops"), ("joblib", "pkl")])
def test_without_the_extra(tmp_path, monkeypatch, missing, ending):
    path = tmp_path / f"m.{ending}"
    path.write_bytes(b"any")
    monkeypatch.setitem(sys.modules, missing, None)
    assert "pip install 'pellucid[sklearn]'" in sentence(str(path), trust=True)

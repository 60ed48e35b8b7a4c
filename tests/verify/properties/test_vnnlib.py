"""VNN-LIB files: what they mean by brute force, those of VNN-COMP 2021, and what is refused."""

import csv
import gzip
import os
import re
import time
from itertools import count
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pellucid.verify.properties.property import BadProperty
from pellucid.verify.properties.vnnlib import parse, read

FOLDER = Path(os.environ.get("PELLUCID_DATA", "")) / "vnncomp2021"
SPECS = sorted(FOLDER.rglob("*.vnnlib")) if "PELLUCID_DATA" in os.environ else []

needs_specs = pytest.mark.skipif(
    not SPECS, reason="PELLUCID_DATA names no folder with vnncomp2021 in it"
)
HEAD = """; two inputs, two outputs
(declare-const X_0 Real)
(declare-const X_1 Real) (declare-const Y_0 Real)
(declare-const Y_1 Real)
(assert (<= X_0 1.0)) (assert (>= X_0 -1e0))
(assert (<= X_1 +1)) (assert (>= X_1 (- 1)))
"""


def two(text):
    """A specification whose inputs lie in [-1, 1] to begin with."""
    return parse(HEAD + text)


# --- what a file means -----------------------------------------------------------------------

SIDES = {"<=": float.__le__, ">=": float.__ge__}
# zero meets every inequality, so that none contradict
BOUNDS = st.tuples(st.sampled_from(["<=", ">="]), st.floats(0, 0.9)).map(
    lambda pair: (pair[0], pair[1] if pair[0] == "<=" else -pair[1])
)


def atoms(name):
    return BOUNDS.map(lambda pair: (pair[0], name, pair[1]))


ATOMS = st.one_of(
    *map(atoms, ("X_0", "X_1", "Y_0", "Y_1")),
    st.sampled_from([("<=", "Y_0", "Y_1"), (">=", "Y_0", "Y_1")]),
)
FORMULAS = st.recursive(
    ATOMS,
    lambda parts: st.tuples(
        st.sampled_from(["and", "or"]), st.lists(parts, min_size=1, max_size=3)
    ),
    max_leaves=6,
)


def written(formula):
    head, *rest = formula
    if head in SIDES:
        return f"({head} {rest[0]} {rest[1]})"
    return f"({head} {' '.join(map(written, rest[0]))})"


def true(formula, values):
    head, *rest = formula
    if head in SIDES:
        return SIDES[head](*(values.get(term, term) for term in rest))
    return (all if head == "and" else any)(true(part, values) for part in rest[0])


@given(st.lists(FORMULAS, max_size=2), atoms("Y_0"), st.integers(0, 10**6))
def test_formulas_mean_what_they_say_at_random_points(formulas, output, seed):
    formulas = [*formulas, output]
    found = two("".join(f"(assert {written(formula)})\n" for formula in formulas))
    points = torch.rand(15, 4, generator=torch.Generator().manual_seed(seed)) * 2.4 - 1.2
    for point in points.double():
        values = dict(zip(("X_0", "X_1", "Y_0", "Y_1"), point.tolist(), strict=True))
        due = bool((point[:2].abs() <= 1).all()) and all(true(f, values) for f in formulas)
        assert found.violated(point[:2], point[2:].tolist()) == due


def test_terms_are_linear_functions():
    found = two("(assert (<= (+ Y_0 (* 2 Y_1) -1) (- Y_0 (* (- 3) Y_1) 0.5) 4))")
    (case,) = found.cases
    (polytope,) = case.unsafe.polytopes
    # y0 + 2 y1 - 1 <= y0 + 3 y1 - 0.5 and y0 + 3 y1 - 0.5 <= 4
    assert [(c.coefficients, c.bound) for c in polytope] == [((0, -1), 0.5), ((1, 3), 4.5)]


def test_a_scaled_input_has_a_scaled_bound():
    (case,) = two("(assert (<= (* -2 X_1) 0.5)) (assert (= X_0 0.25)) (assert (<= Y_0 0))").cases
    assert case.region.low.tolist() == [0.25, -0.25]
    assert case.region.high.tolist() == [0.25, 1]


def test_alternatives_of_one_box_share_a_case():
    box = "(<= X_0 0.5) (>= X_0 0)"
    found = two(
        f"(assert (or (and {box} (<= Y_0 0)) (and {box} (<= Y_1 0)) (and (<= X_1 0) (<= Y_1 Y_0))))"
    )
    assert [len(case.unsafe.polytopes) for case in found.cases] == [2, 1]
    assert found.cases[1].region.high.tolist() == [1, 0]


def test_an_alternative_that_contradicts_itself_is_left_out():
    found = two("(assert (or (and (<= Y_0 0) (>= Y_0 1)) (<= Y_1 0)))")
    assert found.cases[0].unsafe.polytopes[0][0].coefficients == (0, 1)
    assert len(found.cases[0].unsafe.polytopes) == 1


def test_what_is_always_true_says_nothing():
    (case,) = two("(assert (<= 0 1)) (assert (<= X_0 X_0)) (assert (<= Y_0 0))").cases
    assert len(case.unsafe.polytopes[0]) == 1


def test_a_packed_file_and_other_commands_are_read(tmp_path):
    text = f"(set-logic QF_LRA)\n{HEAD}(assert (<= Y_0 Y_1))\n(check-sat)\n"
    path = tmp_path / "a.vnnlib.gz"
    path.write_bytes(gzip.compress(text.encode()))
    assert read(path).inputs == 2
    with pytest.raises(BadProperty, match=r"a\.vnnlib\.gz: The packed file is cut short"):
        path.write_bytes(gzip.compress(text.encode())[:-9]) and read(path)


# --- the files of the competition ------------------------------------------------------------


@needs_specs
@pytest.mark.parametrize(
    "paths",
    [
        [p for p in SPECS if "acasxu" in p.parts] + SPECS[10::40],
        pytest.param(SPECS, marks=pytest.mark.slow),
    ],
    ids=["some", "all"],
)
def test_a_specification_of_vnncomp_is_read_as_a_regular_expression_reads_it(paths):
    assert len(SPECS) == 70
    for path in paths:
        text = re.sub(r";.*", "", path.read_text())
        found = read(path)
        assert (found.inputs, found.outputs) == (
            len(re.findall(r"declare-const X_", text)),
            len(re.findall(r"declare-const Y_", text)),
        )
        ends = {"<=": [case.region.high.tolist() for case in found.cases]}
        ends[">="] = [case.region.low.tolist() for case in found.cases]
        seen = {"<=": count(), ">=": count()}
        for side, place, value in re.findall(r"\((<=|>=) X_(\d+) ([-+.\deE]+)\)", text):
            case = next(seen[side]) // found.inputs
            assert ends[side][case][int(place)] == float(value)
        assert {next(number) for number in seen.values()} == {len(found.cases) * found.inputs}
        polytopes = found.cases[0].unsafe.polytopes
        joined = re.findall(r"\(and ((?:\([<>]= Y_\d+ Y_\d+\) ?)+)\)", text)
        pairs = [re.findall(r"\(([<>]=) Y_(\d+) Y_(\d+)\)", each) for each in joined or [text]]
        if pairs != [[]]:
            got = [
                [(c.coefficients.index(1), c.coefficients.index(-1)) for c in p] for p in polytopes
            ]
            due = [
                [(int(a), int(b)) if s == "<=" else (int(b), int(a)) for s, a, b in p]
                for p in pairs
            ]
            assert got == due
            assert {c.bound for p in polytopes for c in p} == {0}


@needs_specs
def test_every_instance_of_vnncomp_has_a_specification_that_is_read():
    named = set()
    for table in FOLDER.rglob("expected.csv"):
        with table.open() as file:
            named |= {table.parent / row["vnnlib"] for row in csv.DictReader(file)}
    assert named == set(SPECS)


# --- what is refused -------------------------------------------------------------------------

Y = "(assert (<= Y_0 0))"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "asserts nothing of the outputs"),
        ("(assert (<= Y_0 0)", "Line 7: this bracket is never closed: the file is cut short"),
        (f"{Y})", "Line 7: a bracket closes that was not opened"),
        (f"{Y}\n(assert (<= X_2 1))", "Line 8: the symbol 'X_2' is not declared"),
        (f"{Y}\n(assert (<= X_0 -2))", "Line 8: the input X_0 must be at least -1 and at most -2"),
        (f"{Y}(assert (or (<= X_0 0) (and (<= X_0 -.9) (>= X_0 -.8))))", "which contradict"),
        ("(assert (<= Y_0 0)) (assert (>= Y_0 1))", "outputs contradict each other"),
        ("(assert (<= (* 2 Y_0) (* 2 Y_1))) (assert (<= Y_1 (- Y_0 1)))", "contradict each other"),
        (f"{Y}(assert (<= 1 0))", "this can never hold"),
        (f"{Y}(assert (<= X_0 X_1))", "inputs are compared with each other"),
        ("(assert (<= X_0 Y_0))", "inputs and outputs stand in one inequality"),
        ("(assert (<= (* Y_0 Y_1) 0))", "variables are multiplied with each other"),
        ("(assert (<= (/ Y_0 2) 0))", "'/' is no operator of a linear term"),
        ("(assert (< Y_0 0))", "'<' is not read here"),
        ("(assert (not (<= Y_0 0)))", "'not' is not read here"),
        ("(assert (or Y_0))", "'or' joins formulas in brackets"),
        ("(assert (and))", "'and' joins formulas in brackets"),
        ("(assert)", "assert takes one formula"),
        ("(assert (<= Y_0))", "<= compares two terms or more"),
        ("(assert (<= Y_0 1_0))", "'1_0' is no number"),
        ("(assert (<= Y_0 1e999))", "'1e999' is beyond the largest float64"),
        ("(assert (<= Y_0 nan))", "the symbol 'nan' is not declared"),
        ("(declare-const X_3 Real)", "declares 3 X_i, but not X_2"),
        ("(declare-const X_0 Real)", "X_0 is declared twice"),
        ("(declare-const X_2 Int)", "declares no X_i or Y_j of type Real"),
        ("(declare-const Z_2 Real)", "declares no X_i or Y_j of type Real"),
        ("(vnnlib-version <2.0>)", "the command 'vnnlib-version' is not read here"),
        ("hello", "'hello' stands outside of brackets: it is no VNN-LIB file"),
        ("(" * 60, "nested deeper than 50"),
        ("\x1b[31m", r"'\\x1b\[31m' stands outside"),
    ],
)
def test_what_cannot_be_a_property_is_refused_in_a_sentence(text, said):
    with pytest.raises(BadProperty, match=said):
        two(text)


def test_an_input_without_an_end_is_refused():
    text = "(declare-const X_0 Real)(declare-const Y_0 Real)(assert (<= X_0 1))"
    with pytest.raises(BadProperty, match="The input X_0 has no lower bound: assert one"):
        parse(text + Y)
    with pytest.raises(BadProperty, match="declares no variable X_0"):
        parse("")


def test_equal_ends_are_no_contradiction():
    (case,) = two(f"(assert (>= X_0 1)) {Y}").cases
    assert case.region.low[0] == case.region.high[0] == 1


def test_alternatives_that_multiply_are_refused_before_they_are_made():
    either = f"(assert (or {' '.join(f'(<= Y_0 {i})' for i in range(20))}))"
    began = time.monotonic()
    with pytest.raises(BadProperty, match="3200000 combinations of alternatives"):
        two(either * 5)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("gone.vnnlib", None, "This path holds no file"),
        ("net.onnx", b"\x08\x07\xff\xfe\x12", "The file is not a text"),
        ("empty.vnnlib", b"", "declares no variable X_0: it is no VNN-LIB file"),
        ("page.vnnlib", b"<html><body>Not found</body></html>", "it is no VNN-LIB file"),
        ("broken.gz", b"\x1f\x8b\x08\x00" + bytes(20), "cut short or damaged"),
    ],
)
def test_what_is_no_specification_is_refused_by_name(tmp_path, name, data, said):
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(BadProperty, match=rf"{re.escape(str(path))}: .*{said}"):
        read(path)

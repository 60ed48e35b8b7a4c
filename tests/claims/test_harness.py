"""The harness, driven by a small true claim: the mean of many draws is nearer than one draw."""

import json
import sys
from dataclasses import dataclass, replace
from importlib import invalidate_caches

import numpy as np
import pytest

from pellucid.claims import __main__ as command
from pellucid.claims._checkpoint import BadCheckpoint
from pellucid.claims.claim import Claim, Pair
from pellucid.claims.comparisons import (
    Count,
    Difference,
    EverySeed,
    ItemDifference,
    MedianRatio,
    Ratio,
    Share,
    SignTest,
)
from pellucid.claims.harness import BadSeeds, reproduce
from pellucid.claims.relation import (
    BadClaim,
    Hypothesis,
    Threshold,
    above,
    at_least,
    at_most,
    below,
    judge,
    within,
)
from pellucid.claims.results import BadResult, Result, read_result, verdict, write_result
from pellucid.claims.sources import hashes
from pellucid.claims.stale import load_claim, stale
from pellucid.systems import Row

TRUTH = 3.0
MEASURED = []  # the seeds measured, in order


def errors(seed):
    rng = np.random.default_rng(seed)
    many = np.abs(rng.normal(TRUTH, 1.0, (60, 25)).mean(-1) - TRUTH)
    return many, np.abs(rng.normal(TRUTH, 1.0, 60) - TRUTH)


def measure(seed, quick):
    MEASURED.append(seed)
    many, one = errors(seed)
    numbers = {
        "nearer": Pair(ours=many.mean(), theirs=one.mean()),
        "fifth": Pair(ours=many.mean(), theirs=one.mean()),
        "small": Pair(ours=many.mean()),
        "items": Pair(ours=many, theirs=one),
    }
    return {"nearer": numbers["nearer"]} if quick else numbers


def hypothesis(name, statistic, threshold, **others):
    return Hypothesis(
        name=name, meaning=f"{name}, in words", statistic=statistic, threshold=threshold, **others
    )


NEARER = hypothesis("nearer", Difference(), below(0))
CLAIM = Claim(
    slug="averaging",
    title="Averaging draws",
    seeds=4,
    hypotheses=(
        NEARER,
        hypothesis("fifth", Ratio(), within(0.1, 0.4)),
        hypothesis("small", Difference(), at_most(0.3), against=0.0),
        hypothesis("items", MedianRatio(resamples=999), at_most(0.5), required=False),
    ),
    measure=measure,
    data=("digits",),
)


@pytest.fixture(autouse=True)
def _afresh():
    MEASURED.clear()


def only(threshold, statistic=None, **others):
    """The claim with one required relation, measured on `nearer`."""
    relation = replace(NEARER, threshold=threshold, statistic=statistic or Difference(), **others)
    return replace(CLAIM, hypotheses=(relation,), measure=measure_nearer)


def measure_nearer(seed, quick):
    return {"nearer": measure(seed, quick)["nearer"]}


def test_a_true_claim_holds_with_numbers_that_can_be_checked():
    result = reproduce(CLAIM)
    assert result.holds is True
    assert result.seeds == (0, 1, 2, 3)
    assert len(result.seconds) == 4
    assert min(result.seconds) > 0
    relation = result.relations[0]
    many, one = zip(*(errors(seed) for seed in range(4)), strict=True)
    assert relation.ours == tuple(values.mean() for values in many)
    assert relation.theirs == tuple(values.mean() for values in one)
    gaps = np.array(relation.ours) - np.array(relation.theirs)
    assert relation.estimate == pytest.approx(gaps.mean())
    bound = gaps.mean() + 2.353363434801823 * gaps.std(ddof=1) / 2  # Student's t(.95; 3)
    assert relation.interval[1] == pytest.approx(bound)
    assert relation.threshold == "< 0"
    assert relation.statistic == "Difference(confidence=0.95)"
    assert result.relations[2].theirs == 0.0
    assert np.shape(result.relations[3].ours) == (4, 60)
    assert result.versions.keys() == {"pellucid", "python", "torch", "numpy", "scipy"}
    assert result.machine.keys() == {"cpu", "cores", "threads"}
    assert result.hashes["data"].keys() == {"digits"}


def test_a_claim_that_does_not_hold_says_so_and_stays_so(tmp_path):
    result = reproduce(only(below(-5.0)))
    assert result.holds is False
    assert result.relations[0].holds is False
    write_result(result, tmp_path)
    assert read_result("averaging", tmp_path).holds is False


def test_an_estimate_past_the_threshold_is_not_enough():
    relation = reproduce(only(below(0))).relations[0]
    between = (relation.estimate + relation.interval[1]) / 2
    assert reproduce(only(below(between))).holds is False


def test_a_relation_that_is_not_required_decides_nothing():
    unmet = replace(NEARER, name="small", threshold=above(5), required=False, against=0.0)
    claim = replace(CLAIM, hypotheses=(*CLAIM.hypotheses[:2], unmet, CLAIM.hypotheses[3]))
    result = reproduce(claim)
    assert result.relations[2].holds is False
    assert result.holds is True


def test_verdict_prefers_what_is_known_to_fail():
    held = reproduce(only(below(0))).relations[0]
    failed, open_ = replace(held, holds=False), replace(held, holds=None)
    assert verdict((held, held)) is True
    assert verdict((held, open_)) is None
    assert verdict((held, open_, failed)) is False
    assert verdict((replace(held, required=False),)) is None


def test_quick_is_one_seed_and_decides_nothing():
    result = reproduce(CLAIM, quick=True)
    assert MEASURED == [0]
    assert result.holds is None
    assert [relation.name for relation in result.relations] == ["nearer"]
    assert result.relations[0].holds is None
    assert result.relations[0].interval == (None, None)


@pytest.mark.parametrize("statistic", [Difference(), Ratio(), EverySeed(), Count(), SignTest()])
def test_one_seed_of_a_full_run_decides_nothing_either(statistic):
    result = reproduce(only(at_least(-9.0), statistic), seeds=1)
    assert result.holds is None


def test_seeds_count_up_from_the_first():
    assert reproduce(CLAIM, seeds=2, first=1000).seeds == (1000, 1001)
    assert MEASURED == [1000, 1001]
    assert reproduce(CLAIM, quick=True, first=7).seeds == (7,)


@pytest.mark.parametrize("options", [{"seeds": 0}, {"first": -1}, {"seeds": 3, "quick": True}])
def test_seeds_that_cannot_be_run_are_refused(options):
    with pytest.raises(BadSeeds, match=r"^[A-Z].*\.$"):
        reproduce(CLAIM, **options)
    assert MEASURED == []


def test_progress_is_told_before_each_seed_and_at_the_end():
    told = []
    result = reproduce(CLAIM, progress=told.append)
    assert [(step.done, step.total) for step in told] == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert told[-1].slug == "averaging"
    assert told[-1].seconds == pytest.approx(sum(result.seconds))


INTERRUPTION = []  # what to raise at seed 2, if anything


def measure_until_interrupted(seed, quick):
    if seed == 2 and INTERRUPTION:
        raise INTERRUPTION.pop()
    return measure(seed, quick)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), RuntimeError("out of memory")])
def test_an_interrupted_claim_goes_on_from_its_checkpoint(tmp_path, interruption):
    claim = replace(CLAIM, measure=measure_until_interrupted)
    checkpoint = tmp_path / "half.json"
    INTERRUPTION.append(interruption)
    with pytest.raises(type(interruption)):
        reproduce(claim, checkpoint=checkpoint)
    assert MEASURED == [0, 1]
    resumed = reproduce(claim, checkpoint=checkpoint)
    assert MEASURED == [0, 1, 2, 3]
    assert resumed.relations == reproduce(claim).relations
    assert [path.name for path in tmp_path.iterdir()] == ["half.json"]


def test_a_finished_checkpoint_is_only_judged_and_more_seeds_can_be_added(tmp_path):
    checkpoint = tmp_path / "done.json"
    first = reproduce(CLAIM, checkpoint=checkpoint)
    assert reproduce(CLAIM, checkpoint=checkpoint) == first
    assert MEASURED == [0, 1, 2, 3]
    assert reproduce(CLAIM, seeds=5, checkpoint=checkpoint).seeds == (0, 1, 2, 3, 4)
    assert MEASURED == [0, 1, 2, 3, 4]


def test_a_checkpoint_of_another_hash_is_refused(tmp_path):
    checkpoint = tmp_path / "other.json"
    reproduce(CLAIM, checkpoint=checkpoint)
    with pytest.raises(BadCheckpoint, match="data digits is gone"):
        reproduce(replace(CLAIM, data=()), checkpoint=checkpoint)
    with pytest.raises(BadCheckpoint, match="run quick changed"):
        reproduce(CLAIM, quick=True, checkpoint=checkpoint)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"key": {}, "seeds": {"0": {}}}'])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, text):
    checkpoint = tmp_path / "broken.json"
    checkpoint.write_text(text)
    with pytest.raises(BadCheckpoint, match="is no checkpoint"):
        reproduce(CLAIM, checkpoint=checkpoint)


def returning(pairs):
    """A measurement of these pairs, whatever the seed."""

    def fixed(_seed, _quick):
        return pairs

    return fixed


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ({}, "did not measure 'nearer' at seed 0"),
        ({"nearer": Pair(ours=1.0, theirs=2.0), "x": Pair(ours=1.0)}, "declares no relation 'x'"),
        ({"nearer": Pair(ours=1.0)}, "a measured rival or a constant"),
        ({"nearer": Pair(ours=[1.0, 2.0], theirs=1.0)}, r"\(2,\) against \(\)"),
        ({"nearer": Pair(ours=float("nan"), theirs=1.0)}, "not finite"),
        ({"nearer": Pair(ours=1.0, theirs=float("inf"))}, "not finite"),
        ({"nearer": Pair(ours=[], theirs=[])}, "needs a number or the same items"),
        ({"nearer": Pair(ours=[1.0, 2.0], theirs=[1.0, 2.0])}, "one number a seed"),
    ],
)
def test_a_measurement_that_is_not_what_was_declared_is_named(pairs, message):
    with pytest.raises(BadClaim, match=message):
        reproduce(replace(only(below(0)), measure=returning(pairs)))


def measure_more_items_each_seed(seed, _quick):
    return {"nearer": Pair(ours=[1.0] * (seed + 30), theirs=[2.0] * (seed + 30))}


def test_the_items_must_be_the_same_in_every_seed():
    with pytest.raises(BadClaim, match="the same items in every seed"):
        reproduce(replace(only(below(0), MedianRatio()), measure=measure_more_items_each_seed))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"hypotheses": (NEARER, NEARER)}, "two relations 'nearer'"),
        ({"hypotheses": (replace(NEARER, required=False),)}, "requires no relation"),
        ({"hypotheses": ()}, "requires no relation"),
        ({"seeds": 1}, "needs two seeds or more, not 1"),
    ],
)
def test_a_claim_that_nothing_could_decide_is_refused(fields, message):
    with pytest.raises(BadClaim, match=message):
        replace(CLAIM, **fields)


@pytest.mark.parametrize(
    ("threshold", "low", "high", "passes"),
    [
        (at_least(1), 1, 9, True),
        (at_least(1), 0.9, 9, False),
        (above(1), 1, 9, False),
        (at_most(1), -9, 1, True),
        (below(1), -9, 1, False),
        (within(0, 1), 0, 1, True),
        (within(0, 1), -0.1, 1, False),
        (within(0, 1), 0, 1.1, False),
    ],
)
def test_thresholds(threshold, low, high, passes):
    assert threshold.passes(low, high) == passes


@pytest.mark.parametrize(("low", "high"), [(1, 0), (float("-inf"), float("inf"))])
def test_a_threshold_needs_a_range(low, high):
    with pytest.raises(BadClaim, match="needs a range"):
        Threshold(low=low, high=high)


OURS, THEIRS = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([0.0, 1.0, 2.0, 3.0, 5.0])


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        (EverySeed(), (0.8, 0.0, 1.0)),
        (Count(), (4, 4, 4)),
        (Count(of=at_least(0)), (5, 5, 5)),
        (Share(of=at_least(0)), (1.0, 0.05 ** (1 / 5), 1.0)),
        (SignTest(), (1 / 16,) * 3),  # four wins, one tie
        (SignTest(smaller=True), (1.0,) * 3),
    ],
)
def test_statistics_over_seeds(statistic, expected):
    assert statistic(OURS, THEIRS) == pytest.approx(expected)


def test_statistics_over_items_average_the_seeds():
    ours = np.stack([np.arange(40.0), np.arange(40.0) + 2.0]) + 1.0
    theirs = np.ones((2, 40)) * [[2.0], [4.0]]
    # The two seeds' gaps average to the item's place less one: 38 above zero, one tie, one below.
    assert Share()(ours, theirs).estimate == 38 / 40
    assert SignTest()(ours, theirs).estimate == pytest.approx(40 / 2**39)
    assert ItemDifference()(ours, theirs).estimate == pytest.approx(39 / 2 - 1)
    ratios = [20.5 / 2.0, 22.5 / 4.0]
    assert MedianRatio()(ours, theirs).estimate == pytest.approx(np.sqrt(np.prod(ratios)))


def test_an_unknown_bound_decides_only_where_it_is_not_asked_for():
    few = np.ones((2, 5))
    relation = judge(hypothesis("few", MedianRatio(), at_most(2)), few, few)
    assert relation.interval == (None, None)
    assert relation.holds is None


def test_ties_do_not_pass_a_strict_threshold():
    tied = np.ones(5)
    assert judge(hypothesis("tie", Difference(), above(0)), tied, tied).holds is False
    assert judge(hypothesis("tie", Difference(), at_least(0)), tied, tied).holds


def test_a_false_claim_holds_at_most_once_in_twenty():
    rng = np.random.default_rng(0)
    relation = hypothesis("null", Difference(), above(0))
    runs = 3000
    ours, theirs = rng.normal(size=(2, runs, 5))
    held = sum(judge(relation, ours[i], theirs[i]).holds for i in range(runs))
    assert held / runs == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / runs))


def test_a_result_comes_back_from_its_file_as_it_was(tmp_path):
    result = reproduce(CLAIM)
    path = write_result(result, tmp_path)
    assert path == tmp_path / "averaging.json"
    assert read_result("averaging", tmp_path) == result
    assert Result.from_json(result.to_json()) == result
    assert json.loads(path.read_text())["schema"] == 1
    assert "\n" not in result.to_json()


def test_a_result_that_is_not_there_is_none(tmp_path):
    assert read_result("averaging", tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 0}', '{"schema": 1, "slug": "x"}'])
def test_a_result_that_cannot_be_read_is_named(tmp_path, text):
    (tmp_path / "averaging.json").write_text(text)
    with pytest.raises(BadResult, match=r"averaging\.json cannot be read"):
        read_result("averaging", tmp_path)


def test_a_quick_run_is_not_written(tmp_path):
    with pytest.raises(BadResult, match="run it in full"):
        write_result(reproduce(CLAIM, quick=True), tmp_path)
    assert list(tmp_path.iterdir()) == []


METHOD = """
from crystal.attack import _parts


def answer(seed):
    return _parts.add(seed, 1)
"""
CLAIM_FILE = """
from pellucid.claims.claim import Claim, Pair
from pellucid.claims.comparisons import Difference
from pellucid.claims.relation import Hypothesis, above

from crystal import spine
from crystal.claims._help import SCALE


def measure(seed, quick):
    from crystal.attack.mine import answer

    return {"more": Pair(ours=SCALE * answer(seed) + 0.01 * seed, theirs=float(seed))}


CLAIM = Claim(
    slug="mine",
    title="Mine",
    seeds=3,
    hypotheses=(
        Hypothesis(name="more", meaning="m", statistic=Difference(), threshold=above(0)),
    ),
    measure=measure,
)
"""
FILES = {
    "__init__.py": "",
    "spine.py": "",
    "attack/__init__.py": "",
    "attack/_parts.py": "from crystal.attack import mine\n\n\ndef add(a, b):\n    return a + b\n",
    "attack/mine.py": METHOD,
    "attack/other.py": "",
    "claims/__init__.py": "",
    "claims/_help.py": "SCALE = 1.0\n",
    "claims/mine.py": CLAIM_FILE,
}
ROW = Row(
    slug="mine",
    kind="attack",
    where="attack.mine:Mine",
    source="nobody",
    title="Mine",
    modality="numbers",
    claim="claims.mine:CLAIM",
    package="crystal",
)


@pytest.fixture
def crystal(tmp_path, monkeypatch):
    """A package on disk with a method, its parts and a claim."""
    for name, text in FILES.items():
        path = tmp_path / "crystal" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path / "cache"))
    invalidate_caches()
    yield tmp_path / "crystal"
    for name in [name for name in sys.modules if name.split(".")[0] == "crystal"]:
        del sys.modules[name]


@pytest.mark.usefixtures("crystal")
def test_hashes_follow_the_imports_of_the_claim():
    found = hashes(load_claim(ROW))
    method = ["__init__.py", "_parts.py", "mine.py"]
    assert list(found["method"]) == [f"crystal/attack/{name}" for name in method]
    assert list(found["claim"]) == ["crystal/claims/_help.py", "crystal/claims/mine.py"]


@pytest.mark.parametrize(
    ("file", "reasons"),
    [
        ("attack/mine.py", ["method crystal/attack/mine.py changed"]),
        ("attack/_parts.py", ["method crystal/attack/_parts.py changed"]),
        ("claims/mine.py", ["claim crystal/claims/mine.py changed"]),
        ("claims/_help.py", ["claim crystal/claims/_help.py changed"]),
        ("attack/other.py", []),
        ("spine.py", []),
    ],
)
def test_a_result_is_stale_when_what_it_stands_on_changed(crystal, file, reasons):
    result = reproduce(load_claim(ROW))
    assert stale(result, ROW) == []
    path = crystal / file
    path.write_text(path.read_text() + "\nNEW = 1\n")
    assert stale(result, ROW) == reasons


def test_what_is_new_and_what_is_gone_is_said(crystal):
    result = reproduce(load_claim(ROW))
    path = crystal / "attack/mine.py"
    path.write_text(METHOD.replace("_parts", "other"))
    assert stale(result, ROW) == [
        "method crystal/attack/_parts.py is gone",
        "method crystal/attack/mine.py changed",
        "method crystal/attack/other.py is new",
    ]


@dataclass(frozen=True, kw_only=True)
class Network:
    """A recipe that is its own hash."""

    name: str = "net"
    seed: int = 0
    content: str = "a"

    def hash(self):
        return self.content


@pytest.mark.usefixtures("crystal")
def test_a_changed_recipe_makes_a_result_stale(monkeypatch):
    claim = load_claim(ROW)
    result = reproduce(replace(claim, subjects=(Network(), Network(seed=1))))
    changed = replace(claim, subjects=(Network(), Network(seed=1, content="b")))
    monkeypatch.setattr(sys.modules["crystal.claims.mine"], "CLAIM", changed)
    assert stale(result, ROW) == ["recipe net seed 1 changed"]


@pytest.mark.usefixtures("crystal")
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"claim": None}, "'mine' has no claim to reproduce"),
        ({"slug": "other"}, "says that it is 'mine'"),
        ({"where": "attack.other:Other"}, r"does not import crystal/attack/other\.py"),
    ],
)
def test_a_row_and_its_claim_must_agree(fields, message):
    with pytest.raises(BadClaim, match=message):
        load_claim(replace(ROW, **fields))


def test_the_command_runs_what_is_missing_or_stale(crystal, tmp_path, capsys):
    folder = tmp_path / "results"
    assert command.main(["--check"], [ROW], folder) == 0
    assert "mine: no result yet\n1 of 1 claims" in capsys.readouterr().out
    assert command.main([], [ROW], folder) == 0
    first = capsys.readouterr()
    assert first.out.startswith("mine: holds, 3 seeds in ")
    assert "mine: 3 of 3 seeds" in first.err
    written = (folder / "mine.json").read_text()
    assert command.main(["mine"], [ROW], folder) == 0
    assert capsys.readouterr().out == "mine: fresh\n"
    assert (folder / "mine.json").read_text() == written
    assert command.main(["--check"], [ROW], folder) == 0
    assert capsys.readouterr().out == "0 of 1 claims have no fresh result.\n"
    assert command.main(["--all"], [ROW], folder) == 0
    assert capsys.readouterr().out.startswith("mine: holds")
    (crystal / "attack/_parts.py").write_text("def add(a, b):\n    return a + b\n")
    assert command.main(["--check"], [ROW], folder) == 0
    assert "mine: method crystal/attack/_parts.py changed\n" in capsys.readouterr().out
    assert list((tmp_path / "cache" / "claims").iterdir()) == []


@pytest.mark.usefixtures("crystal")
def test_a_failed_claim_leaves_with_1_and_the_others_run(tmp_path, capsys):
    broken = replace(ROW, slug="broken")
    assert command.main([], [broken, ROW], tmp_path / "results") == 1
    shown = capsys.readouterr()
    assert "broken: could not finish. The claim of row 'broken' says" in shown.err
    assert "mine: holds" in shown.out


@pytest.mark.usefixtures("crystal")
def test_a_fault_in_a_measurement_is_shown_in_full(tmp_path, capsys, monkeypatch):
    load_claim(ROW)
    monkeypatch.setattr("crystal.attack.mine.answer", lambda _: 1 / 0, raising=True)
    assert command.main([], [ROW], tmp_path / "results") == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "mine: could not finish. ZeroDivisionError" in shown


@pytest.mark.usefixtures("crystal")
def test_a_slug_without_a_claim_is_a_usage_error(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(["nobody"], [ROW], tmp_path)
    assert stop.value.code == 2
    assert "'nobody' has no claim; those with one: mine." in capsys.readouterr().err


@pytest.mark.usefixtures("crystal")
def test_an_interrupted_command_goes_on_from_the_finished_seeds(tmp_path, capsys, monkeypatch):
    asked = []

    def interrupted(seed):
        asked.append(seed)
        if asked == [0, 1]:
            raise KeyboardInterrupt
        return seed + 1

    load_claim(ROW)
    monkeypatch.setattr("crystal.attack.mine.answer", interrupted)
    assert command.main([], [ROW], tmp_path / "results") == 1
    assert "the finished seeds are kept" in capsys.readouterr().err
    assert command.main([], [ROW], tmp_path / "results") == 0
    assert asked == [0, 1, 1, 2]


@pytest.mark.usefixtures("crystal")
def test_a_check_that_cannot_be_made_says_why(tmp_path, capsys):
    write_result(reproduce(load_claim(ROW)), tmp_path)
    (tmp_path / "mine.json").rename(tmp_path / "other.json")
    assert command.main(["--check"], [replace(ROW, slug="other")], tmp_path) == 1
    assert "says that it is 'mine'" in capsys.readouterr().err


@pytest.mark.usefixtures("crystal")
def test_a_result_that_cannot_be_read_is_measured_anew(tmp_path, capsys):
    (tmp_path / "mine.json").write_text("{")
    assert command.main([], [ROW], tmp_path) == 0
    assert read_result("mine", tmp_path).holds is True
    assert "mine: holds" in capsys.readouterr().out

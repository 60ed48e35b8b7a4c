"""The store of an audit."""

import sqlite3

import numpy as np
import pytest

from pellucid.audit.finding import Finding, Found, NotTested
from pellucid.audit.store import FILE, VERSION, NoStore, Store, existing
from pellucid.ledger import Cost


def found(check):
    finding = Finding(
        check=check,
        system="pgd",
        severity="low",
        access="gradient",
        figures={"rows": 3, "lines": [{"epsilon": 0.1, "low": None}]},
        atlas=("AML.T0015",),
        cost=Cost(queries=7),
        text="Text with 'quotes'; DROP TABLE findings.",
    )
    return Found(finding=finding, arrays={"x": np.arange(6.0).reshape(2, 3), "no": np.zeros(0)})


def test_what_is_added_comes_back_in_order_and_outlives_the_process(tmp_path):
    with Store(tmp_path / FILE) as store:
        for name in ("falsify.b", "clean.a"):
            store.add(found(name))
        store.skip(NotTested(check="prove", reason="no bounds"))
        store.keep_facts("settings", {"seed": 1})
        store.keep_facts("settings", {"seed": 2})
    with existing(tmp_path) as store:
        assert store.findings() == [found("falsify.b").finding, found("clean.a").finding]
        assert store.not_tested() == [NotTested(check="prove", reason="no bounds")]
        assert store.facts("settings") == {"seed": 2}
        assert store.facts("none") is None
        arrays = store.found()["clean.a"].arrays
        assert arrays["x"].tolist() == [[0, 1, 2], [3, 4, 5]]
        assert arrays["no"].shape == (0,)


def test_another_program_s_database_is_left_alone(tmp_path):
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("CREATE TABLE mine (a)")
    other.commit()
    other.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(NoStore, match="no audit's store"):
        Store(tmp_path / FILE)
    assert (tmp_path / FILE).read_bytes() == before


def test_a_newer_schema_is_refused(tmp_path):
    Store(tmp_path / FILE).__exit__(None, None, None)
    newer = sqlite3.connect(tmp_path / FILE)
    newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    newer.close()
    with pytest.raises(NoStore, match="newer Pellucid"):
        Store(tmp_path / FILE)


def test_a_file_that_is_no_database_is_said(tmp_path):
    (tmp_path / FILE).write_text("not a database, but long enough to be looked at as one")
    with pytest.raises(NoStore, match="cannot be used"):
        Store(tmp_path / FILE)


def test_a_folder_without_an_audit_is_said(tmp_path):
    with pytest.raises(NoStore, match="holds no audit"):
        existing(tmp_path)

"""Rows and a plan for the linear model."""

import pytest
from tests.audit.linear import PLAN, write_rows


@pytest.fixture
def rows(tmp_path):
    return write_rows(tmp_path / "rows.npz")


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return str(path)

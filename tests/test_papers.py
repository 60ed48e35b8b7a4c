"""The bibliography: every entry whole, every key used."""

import re
from importlib.resources import files

import pytest

from pellucid.papers import UnknownPaper, entry
from pellucid.systems import SYSTEMS

METRICS = {"petsiuk2018rise"}  # of explanations, which are no rows of the table
KEYS = re.findall(r"@\w+\{(.*),", files("pellucid").joinpath("papers.bib").read_text())


def test_every_key_belongs_to_a_system_or_a_metric_and_none_stands_twice():
    assert sorted(KEYS) == sorted({row.source for row in SYSTEMS} | METRICS)


@pytest.mark.parametrize("key", KEYS)
def test_an_entry_is_whole_and_closed(key):
    text = entry(key)
    assert text.count("{") == text.count("}")
    assert {"title", "author", "year"} <= set(re.findall(r"^  (\w+) ", text, flags=re.MULTILINE))


def test_a_missing_key_is_a_sentence():
    with pytest.raises(UnknownPaper, match=r"'madry' in the papers\.bib of pellucid"):
        entry("madry")  # the start of a key is not the key

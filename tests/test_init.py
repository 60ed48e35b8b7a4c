"""The front door of the package: every public name, and nothing imported before it is used."""

import subprocess
import sys

import pytest

import pellucid


@pytest.mark.parametrize("name", pellucid.__all__)
def test_every_public_name_can_be_fetched(name):
    assert getattr(pellucid, name).__name__ == name


def test_the_list_of_names_is_whole_and_without_doubles():
    assert len(set(pellucid.__all__)) == len(pellucid.__all__)
    assert set(pellucid.__all__) < set(dir(pellucid))


def test_an_unknown_name_is_no_attribute():
    with pytest.raises(ImportError, match="nothing"):
        exec("from pellucid import nothing")


def test_importing_the_package_imports_no_other_library():
    program = "import sys, pellucid; print(sorted({'torch', 'numpy', 'typer'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n"

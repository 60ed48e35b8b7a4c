"""What is true of the house as a whole: docs that run, commands that are named, files that fit."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pellucid.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "src").rglob("*.py"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = typer.main.get_group(app).commands


def blocks(page, language):
    """The text of the page's fenced blocks of one language."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def pages_with(language):
    return [page for page in PAGES if blocks(page, language)]


def name_of(path):
    return str(path.relative_to(ROOT))


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")  # of torch's own exporter
@pytest.mark.parametrize("page", pages_with("python"), ids=name_of)
def test_the_python_of_a_page_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile("\n".join(blocks(page, "python")), page, "exec"), {"__name__": "page"})


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_with("shell"), ids=name_of)
def test_the_commands_of_a_page_run(page, tmp_path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for line in "".join(blocks(page, "shell")).splitlines():
        done = subprocess.run(
            line, shell=True, cwd=tmp_path, env=os.environ | {"PATH": path}, capture_output=True
        )
        assert done.returncode == 0, f"{line}: {done.stderr.decode()}"


def test_the_pages_have_blocks_that_run():
    assert ROOT / "README.md" in pages_with("python")
    assert ROOT / "README.md" in pages_with("shell")


@pytest.mark.slow
def test_the_documentation_builds_without_a_warning(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for page in ("catalogue", "claims", "cli"):
        assert (tmp_path / page / "index.html").exists()
    home = (tmp_path / "index.html").read_text("utf-8")
    for folder in ("benchmarks", "decisions"):
        for page in (ROOT / "docs" / folder).glob("*.md"):
            target = folder if page.stem == "README" else f"{folder}/{page.stem}"
            assert f'href="{target}/"' in home, f"no page leads to {target}"
    assert 'id="hopskipjump"' in (tmp_path / "catalogue" / "index.html").read_text("utf-8")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_help_and_is_named_in_the_pages(command):
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert COMMANDS[command].help
    silent = [p.opts[-1] for p in COMMANDS[command].params if not p.help and p.name != "help"]
    assert not silent, f"these say nothing of themselves: {silent}"
    assert any(f"pellucid {command}" in page.read_text(encoding="utf-8") for page in PAGES)


def test_every_target_of_make_is_explained_by_make_help():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: help (.*)$", text, flags=re.MULTILINE).group(1).split()
    assert re.findall(r'^\t@echo "make ([\w-]+) ', text, flags=re.MULTILINE) == targets


def test_the_tested_versions_name_every_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(line for extra in extras for line in extra)]
    names = {re.match(r"[\w-]+", line).group().replace("_", "-").lower() for line in wanted}
    pinned = re.findall(
        r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert names <= {name.replace("_", "-").lower() for name in pinned}


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_file_can_be_read_in_one_go_and_hides_nothing(file):
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert not re.findall(r"type: ignore|pyright: ignore|noqa|fmt: (?:off|skip)", text)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="what is committed is asked of git")
def test_no_committed_file_of_the_package_is_large():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "src"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    assert all(file.stat().st_size <= 2**20 for file in files if file.exists())

"""Files that a public project has, and that they say the same as the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from phytoflow import __version__

ROOT = Path(__file__).parents[1]


def test_the_citation_names_the_version_and_the_licence() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == __version__
    assert citation["license"] in (ROOT / "pyproject.toml").read_text()
    assert all(key in citation for key in ("cff-version", "message", "title", "authors"))


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda path: path.stem
)
def test_issue_forms_are_complete(path: Path) -> None:
    form = yaml.safe_load(path.read_text())
    assert form["name"] and form["description"] and form["body"]
    identifiers = [field["id"] for field in form["body"]]
    assert len(set(identifiers)) == len(identifiers)
    assert all(field["attributes"]["label"] for field in form["body"])


def test_owned_paths_exist() -> None:
    for line in (ROOT / ".github" / "CODEOWNERS").read_text().splitlines():
        if line.startswith("/"):
            assert (ROOT / line.split()[0].strip("/")).is_dir(), line


@pytest.mark.parametrize("name", ["SECURITY.md", "PULL_REQUEST_TEMPLATE.md", "CODE_OF_CONDUCT.md"])
def test_commands_in_them_are_targets_of_make(name: str) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for words in re.findall(r"`make ([a-z0-9 -]+)`", (ROOT / ".github" / name).read_text()):
        assert set(words.split()) <= targets, words

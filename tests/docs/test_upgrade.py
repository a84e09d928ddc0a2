"""Every new name in the table of the upgrade page exists, and no old one does."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from phytoflow.config.reference import known_settings
from scripts.generate_docs.commands import commands
from scripts.generate_docs.schemas import metrics_json
from serving.predictor.options import Options
from tests.support.documents import ROOT

PAGE = (ROOT / "docs" / "how-to" / "upgrade.md").read_text()


def rows(section: str) -> list[tuple[str, str]]:
    text = PAGE.partition(f"\n### {section}\n")[2].partition("\n###")[0]
    return [(old, new) for old, new in re.findall(r"^\| (`.+) \| (.+) \|$", text, re.MULTILINE)]


def names(cell: str) -> Iterator[str]:
    """The names in a cell; those after the first have its section."""
    section = ""
    for name in re.findall(r"`([\w.-]+)", cell):
        head, dot, _ = name.rpartition(".")
        section = head + dot if dot else section
        yield name if dot else section + name


@pytest.mark.parametrize(("old", "new"), rows("Settings"))
def test_settings(old: str, new: str) -> None:
    known = known_settings()
    assert [name for name in names(new) if name not in known] == []
    if "=" not in old:
        assert [name for name in names(old) if name in known] == []


@pytest.mark.parametrize(("old", "new"), [row for row in rows("Predictor") if row[1].startswith("`--")])
def test_options_of_the_predictor(old: str, new: str) -> None:
    fields = Options.__dataclass_fields__
    assert all(name.strip("-") in fields for name in names(new))
    assert not any(name.strip("-") in fields for name in names(old))


def test_commands() -> None:
    text = commands()
    for option in (
        "`--external-data`",
        "`--html`",
        "## phytoflow data download",
        "## phytoflow pipeline submit",
    ):
        assert option in text


@pytest.mark.parametrize(("old", "new"), [row for row in rows("metrics.json") if ".svg" not in row[1]])
def test_keys_of_metrics_json(old: str, new: str) -> None:
    text = metrics_json()
    for name in names(new):
        assert f"| `{name.rpartition('.')[2]}` |" in text, name

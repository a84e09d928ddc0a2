"""Pages that come from the code are current."""

import re

import pytest

from phytoflow.errors import EXIT_CODES
from scripts.generate_docs.__main__ import PAGES
from scripts.generate_docs.markdown import ROOT


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_says(name: str) -> None:
    assert (ROOT / name).read_text() == PAGES[name](), "run `make docs` and commit what it changed"


@pytest.mark.parametrize("name", ["metrics-json", "bundle-json"])
def test_every_key_has_a_meaning(name: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGES[f"docs/reference/{name}.md"](), re.MULTILINE)
    assert len(rows) > 30
    assert [key for key, meaning in rows if not meaning.strip()] == []


def test_every_setting_command_and_code_has_a_row() -> None:
    settings, commands, codes = (
        PAGES[f"docs/reference/{n}.md"]() for n in ("configuration", "cli", "exit-codes")
    )
    assert "| `training.finetune_epochs` |" in settings and "| `deploy.namespace` |" in settings
    services = PAGES["docs/reference/service-settings.md"]()
    assert "| `monitoring.webhook_url` |" in services and "| `limits.cool_down_hours` |" in services
    assert "| `rollout.min_pairs` |" in services and "PHYTOFLOW_GATEWAY__" in services
    assert "## phytoflow data check\n" in commands and "| `--max_batch_size` |" in commands
    assert all(f"| {code} | {meaning} |" in codes for code, meaning in EXIT_CODES.items())

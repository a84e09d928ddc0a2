"""Pages that come from the code are current."""

import pytest

from scripts.generate_docs import PAGES, ROOT


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_says(name: str) -> None:
    assert (ROOT / name).read_text() == PAGES[name](), "run `make docs` and commit what it changed"


def test_every_setting_command_and_code_has_a_row() -> None:
    settings, commands, codes = (
        PAGES[f"docs/reference/{n}.md"]() for n in ("configuration", "cli", "exit-codes")
    )
    assert "| `training.finetune_epochs` |" in settings and "| `deploy.namespace` |" in settings
    assert "## phytoflow data check\n" in commands and "| `--max_batch_size` |" in commands
    assert "| 12 | A cluster refuses" in codes

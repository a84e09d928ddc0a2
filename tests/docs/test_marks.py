"""Every command of the documentation is executed by a test, or says why it is not."""

from pathlib import Path

import pytest

from tests.support.documents import LANGUAGES, PLACES, ROOT, blocks, pages

PAGES = pages()


def test_the_readme_and_the_tutorial_are_among_the_pages() -> None:
    names = {page.relative_to(ROOT).as_posix() for page in PAGES}
    assert {"README.md", "docs/tutorial/first-model.md"} <= names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_block_says_where_it_is_executed_or_why_not(page: Path) -> None:
    for block in blocks(page):
        if block.language in LANGUAGES:
            assert block.reason or block.place in PLACES, f"{block}: no mark above it: {block.code}"
            assert not block.reason or len(block.reason) > 10, f"{block}: {block.reason!r} is no reason"


@pytest.mark.parametrize("where", sorted(set(PLACES.values())))
def test_what_executes_them_is_there(where: str) -> None:
    assert (ROOT / where).exists()

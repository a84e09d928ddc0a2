"""Records of decisions: numbered without gaps, complete, and reversed ones say so."""

import re
from pathlib import Path

import pytest

from tests.support.documents import ROOT

RECORDS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
_STATUS = re.compile(r"^- Status: (accepted|superseded by \[\d{4}\]\((\d{4}-[\w-]+\.md)\))$", re.MULTILINE)


def test_numbers_have_no_gaps() -> None:
    numbers = [int(path.name[:4]) for path in RECORDS]
    assert numbers == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_record_is_short_and_complete(path: Path) -> None:
    text = path.read_text()
    assert re.match(rf"# {path.name[:4]} \S", text)
    assert re.search(r"^- Date: \d{4}-\d{2}-\d{2}$", text, re.MULTILINE)
    sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert sections[:4] == ["Context", "Decision", "Consequences", "Alternatives"]
    assert len(text) < 4000, "half a page"


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_reversed_record_names_a_later_one(path: Path) -> None:
    status = _STATUS.search(path.read_text())
    assert status
    if successor := status[2]:
        assert (path.parent / successor).exists() and successor > path.name


def test_some_decisions_were_reversed() -> None:
    superseded = [path.name[5:-3] for path in RECORDS if "superseded" in path.read_text().split("##")[0]]
    assert {"asgi-front", "extra-workers", "event-loop-pause", "threshold-from-views"} <= set(superseded)

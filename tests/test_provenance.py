from datetime import UTC, datetime, timedelta

import pytest

from phytoflow import __version__
from phytoflow.provenance import code_version, command_line, now


def test_the_code_version_is_the_release_and_a_hash() -> None:
    release, _, digest = code_version().partition("+")
    assert release == __version__ and len(digest) == 12 and int(digest, 16) >= 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["/usr/bin/phytoflow", "run", "--output", "a b"], "phytoflow run --output 'a b'"),
        (["/x/phytoflow/cli/__main__.py", "run"], "phytoflow run"),
    ],
)
def test_the_command_can_be_pasted(arguments: list[str], text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", arguments)
    assert command_line() == text


def test_now_is_utc_in_whole_seconds() -> None:
    parsed = datetime.fromisoformat(now())
    assert parsed.microsecond == 0 and abs(parsed - datetime.now(UTC)) < timedelta(seconds=5)

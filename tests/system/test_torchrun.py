"""The variables that torchrun sets."""

import pytest

from phytoflow.system.torchrun import process_rank, started_by_torchrun


@pytest.mark.parametrize(
    ("variables", "started", "rank"),
    [
        ({}, False, 0),
        ({"RANK": "1", "WORLD_SIZE": "2"}, False, 0),  # some other launcher's
        ({"TORCHELASTIC_RUN_ID": "x", "RANK": "0", "WORLD_SIZE": "1"}, False, 0),
        ({"TORCHELASTIC_RUN_ID": "x", "RANK": "1", "WORLD_SIZE": "2"}, True, 1),
    ],
)
def test_a_process_of_several_knows_its_number(
    variables: dict[str, str], started: bool, rank: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TORCHELASTIC_RUN_ID", "RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert started_by_torchrun() is started and process_rank() == rank

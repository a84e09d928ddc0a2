import json
from pathlib import Path

import pytest

from phytoflow.steps.finish import finish


@pytest.mark.parametrize("reported", [True, False])
def test_the_outcome_says_how_the_run_ended_and_what_there_is(reported: bool, tmp_path: Path) -> None:
    if reported:
        (tmp_path / "report.html").write_text("")
    finish("FAILED", "train: no space", str(tmp_path))
    outcome = json.loads((tmp_path / "outcome.json").read_text())
    assert (outcome["state"], outcome["error"], outcome["bundle"]) == ("FAILED", "train: no space", "")
    assert outcome["report"] == (str(tmp_path / "report.html") if reported else "")


@pytest.mark.parametrize("word", ["SUCCEEDED", "COMPLETE", "CACHED"])
def test_a_success_has_the_same_word_on_a_backend_and_on_one_machine(word: str, tmp_path: Path) -> None:
    finish(word, "", str(tmp_path))
    assert json.loads((tmp_path / "outcome.json").read_text())["state"] == "SUCCEEDED"

from __future__ import annotations

from pathlib import Path

import optuna
import pytest

from phytoflow.tuning.page import Search, write_page
from phytoflow.tuning.plan import Plan
from tests.support.tuning.trials import JUDGEMENT


@pytest.mark.parametrize("best", [0, 2])
def test_the_page_says_what_was_found_and_how_it_was_judged(
    finished_study: optuna.Study, plan: Plan, tmp_path: Path, best: int
) -> None:
    trials = finished_study.trials
    search = Search(finished_study, trials[best], trials[0], plan, photos=300)
    write_page(search, JUDGEMENT, "training: {rank: 8}\n", tmp_path / "search.html")
    page = (tmp_path / "search.html").read_text()
    assert JUDGEMENT.describe() in page and "training: {rank: 8}" in page
    assert "5 finished trials, 300 photos each" in page
    assert ("Trial 2 is the best" in page) == (best == 2)
    assert ("so the starting settings are kept" in page) == (best == 0)
    assert page.count("<svg") == 3
    rows = page[page.index("<tbody>") :].count("<tr")
    assert rows == len(trials)


def test_without_test_photos_the_page_claims_nothing(
    finished_study: optuna.Study, plan: Plan, tmp_path: Path
) -> None:
    trials = finished_study.trials
    write_page(Search(finished_study, trials[2], trials[0], plan, 300), None, "", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "No trial was compared" in page and "Judged once" not in page


def test_a_second_look_at_the_test_photos_is_admitted(
    finished_study: optuna.Study, plan: Plan, tmp_path: Path
) -> None:
    trials = finished_study.trials
    finished_study.set_user_attr("looks", 4)
    write_page(Search(finished_study, trials[2], trials[0], plan, 300), JUDGEMENT, "", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "Judged 4 times so far" in page and "once" not in page

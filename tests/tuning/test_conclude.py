from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from phytoflow.config.loader import load_settings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.tracking.tracker import Tracker
from phytoflow.tuning import conclude as module
from phytoflow.tuning.conclude import comparison_seconds, conclude
from phytoflow.tuning.judge import Judgement
from phytoflow.tuning.plan import Plan
from phytoflow.tuning.sample import write_sample
from phytoflow.tuning.search import open_search, work
from phytoflow.tuning.study import StudyPlace, join_study
from phytoflow.tuning.trial import ParentRun, Trials
from tests.support.tuning.trials import JUDGEMENT, make_trial


def test_the_comparison_takes_two_trainings_of_all_photos(dataset: Dataset, tmp_path: Path) -> None:
    whole = write_sample(dataset, 0, tmp_path / "whole")
    half = write_sample(dataset, (whole.count("train") + whole.count("validation")) // 2, tmp_path / "half")
    start = make_trial(0.3, start=True)
    start.datetime_start = datetime(2026, 1, 1)
    start.datetime_complete = start.datetime_start + timedelta(seconds=10)
    assert comparison_seconds([start], dataset, half) == pytest.approx(40, rel=0.1)
    assert comparison_seconds([start], dataset, whole) == 0
    assert comparison_seconds([make_trial(0.3)], dataset, half) == 0


def test_settings_that_are_worse_on_test_photos_are_not_recommended(
    plan: Plan, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = StudyPlace.in_folder(tmp_path)
    few = replace(plan, budget=replace(plan.budget, trials=1), photos=14)
    judged: list[tuple[Path, Path]] = []

    def judge(_: Dataset, first: Path, second: Path, *__: object) -> Judgement:
        judged.append((first, second))
        return replace(JUDGEMENT, paired=replace(JUDGEMENT.paired, interval=(-0.09, -0.01), p_value=0.01))

    monkeypatch.setattr(module, "judge", judge)
    with open_search(dataset, few, tmp_path, place) as tracker:
        parent = ParentRun(tracker.run_id, tmp_path)
        work(dataset, few, tmp_path, place, parent)
        study = join_study(place, few)
        better = study.ask()
        better.suggest_categorical("training.label_smoothing", (0.0, 0.05, 0.1))
        better.suggest_categorical("training.strategy", ("partial", "linear", "lora", "bitfit"))
        better.suggest_float("training.finetune_learning_rate", 2e-4, 3e-3, log=True)
        for name, value in study.trials[0].user_attrs.items():
            better.set_user_attr(name, False if name == "start" else value)
        better.set_user_attr("macro_f1", 1.0)
        study.tell(better, 0.0)
        sample = write_sample(dataset, few.photos, tmp_path / "sample")
        trials = Trials(sample, few, few.overrides, tmp_path, parent)
        result = conclude(study, trials, dataset, tracker)
    assert result.best.number == 0 and result.trials == 2
    assert join_study(place, few).user_attrs["looks"] == 1
    rate = load_settings(tmp_path / module.BEST_FILE).training.finetune_learning_rate
    assert rate == few.settings.training.finetune_learning_rate
    # Both were trained on all photos, without the test photos, in runs of their own.
    assert [folder.parent.name for folder in judged[0]] == ["final", "final"]
    assert isinstance(tracker, Tracker) and not (tmp_path / "features").exists()

"""The conclusion hands the best settings to the run, and its files to the output."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoflow.config.loader import resolve
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.errors import ConfigError
from phytoflow.steps.search.conclude_search import conclude_search
from phytoflow.steps.search.open_search import open_search
from phytoflow.steps.search.place import study_place
from phytoflow.steps.search.settings import SearchStepSettings
from phytoflow.tracking.mlflow_client import open_store
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.tuning.space import suggest
from phytoflow.tuning.study import join_study


def test_the_best_settings_are_returned_and_delivered(
    photos: Path, settings: SearchStepSettings, tmp_path: Path
) -> None:
    search, output = open_search(photos, settings, str(tmp_path)), str(tmp_path)
    with pytest.raises(ConfigError, match="no trial"):
        conclude_search(photos, search, output, tmp_path / "page")
    study = join_study(study_place(output, "worker-0"), settings.plan)
    trial = study.ask()
    values = suggest(trial, settings.plan.space)
    for name, value in (("macro_f1", 0.9), ("milliseconds", 20.0), ("megabytes", 10.0)):
        trial.set_user_attr(name, value)
    study.tell(trial, 0.2)

    best = conclude_search(photos, search, output, tmp_path / "page")
    assert (tmp_path / "best.yaml").read_text() == best
    chosen = resolve(SettingsOverrides.parse(best))
    assert chosen.seed == 7 and chosen.training.strategy == values["training.strategy"]
    assert (tmp_path / "page").read_bytes() == (tmp_path / "search.html").read_bytes()
    assert "0.9000" in (tmp_path / "page").read_text()
    store = open_store(TrackingSettings(), tmp_path)
    run = store.client.get_run(search.run_id)
    assert run.info.status == "FINISHED" and run.data.metrics["best/macro_f1"] == 0.9

"""What the first step of a search settles and refuses before anything is spent."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoflow.deploy.trainjob.environment import STUDY_STORAGE
from phytoflow.errors import ConfigError
from phytoflow.steps.search.configure_search import SearchConfiguration, configure_search
from phytoflow.system.ports import free_port


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("rust", "healthy"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        (tmp_path / "photos" / name / "1.jpg").write_bytes(b"a photo")
    return tmp_path


def configured(folder: Path, search: str) -> SearchConfiguration:
    overrides = "serving: {publish: false}\nmodel: {image_size: 128}\ntraining.strategy: partial"
    return configure_search(str(folder / "photos"), "fast", 3, overrides, search, str(folder / "out"))


def test_the_photos_suffice_for_the_largest_network(folder: Path) -> None:
    plan = configured(folder, "vary: ['model.image_size=[96, 160]']\ntrials: 9")
    assert plan.preprocess.model.image_size == 160
    found = plan.search.plan
    assert (found.budget.trials, found.settings.seed, found.settings.preset) == (9, 3, "fast")
    assert found.space["model.image_size"].values == (128, 96, 160)  # type: ignore[union-attr]
    assert "training.strategy" not in found.space
    assert plan.data_version and plan.code_version


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ("trails: 3", "Did you mean trials"),
        ("trials: 0", "trials=0 is not allowed"),
        ("vary: ['model.image_size=[96, 7]']", "image_size"),
    ],
)
def test_a_wrong_search_is_refused(search: str, words: str, folder: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        configured(folder, search)


def test_a_database_that_does_not_answer_is_named_without_its_password(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv(STUDY_STORAGE, f"postgresql://me:hidden@127.0.0.1:{port}/studies")
    with pytest.raises(ConfigError, match=f"127.0.0.1:{port}") as refusal:
        configured(folder, "")
    assert "hidden" not in str(refusal.value)

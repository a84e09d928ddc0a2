from pathlib import Path

import pytest

from phytoflow.config.loader import load_settings
from phytoflow.config.presets import PRESETS
from phytoflow.config.settings import RunSettings
from phytoflow.errors import ConfigError
from phytoflow.models.families import FAMILIES


def test_overrides_lie_on_the_file_and_the_file_on_the_preset(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("preset: fast\nseed: 4\ntraining: {batch_size: 9, head_epochs: 5}\n")
    settings = load_settings(file, ["training.head_epochs=7", "gate.min_accuracy=0.9"])
    assert (settings.seed, settings.training.batch_size, settings.training.head_epochs) == (4, 9, 7)
    assert settings.gate.min_accuracy == 0.9
    assert settings.training.finetune_blocks == PRESETS["fast"]["training"]["finetune_blocks"]


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_valid(preset: str) -> None:
    assert load_settings(None, [f"preset={preset}"]).preset == preset


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("training.cached_vews=2", ["training.cached_vews", "2", "Did you mean training.cached_views?"]),
        ("cached_view=3", ["cached_view", "Did you mean training.cached_views?"]),
        ("model.backbone=resnet19", ["model.backbone", "resnet19", "Did you mean resnet1", *FAMILIES]),
        ("model.backbone=convnext_tiny.in12", ["model.backbone", "convnext_tiny.in12k_ft_in1k"]),
        ("model.image_size=16", ["model.image_size", "16", "0, or at least 32; the nearest is 32"]),
        ("preset=fst", ["fst", "Did you mean fast?"]),
        ("training.cached_views=0", ["training.cached_views", "0", "greater than or equal to 1"]),
        ("data.test_fraction=1.5", ["data.test_fraction", "1.5", "less than 1"]),
        ("training.batch_size=many", ["training.batch_size", "many", "integer"]),
        ("training.devices=two", ["training.devices", "two", "integer, at least 1, at most 64"]),
        ("trainjob.tolerations=gpu", ["trainjob.tolerations", "gpu", "must be list of text"]),
        ("trainjob.node_selector=gpu", ["trainjob.node_selector", "gpu", "must be mapping"]),
        ("model.weights_sha256=abc", ["model.weights_sha256", "abc", "must be text, like ^"]),
        ("trainjob.memory=24GB", ["trainjob.memory", "24GB", "Kubernetes notation, e.g. 2, 500m or 24Gi"]),
        ("deploy.cpu=eight", ["deploy.cpu", "eight", "Kubernetes notation"]),
        ("seed", ["seed", "key=value"]),
        ("seed.x=1", ["seed"]),
        ("training=3", ["training", "3"]),
    ],
)
def test_a_wrong_setting_is_refused_with_key_value_and_nearest_name(override: str, said: list[str]) -> None:
    with pytest.raises(ConfigError) as refusal:
        load_settings(None, [override])
    for words in said:
        assert words in str(refusal.value)


def test_fractions_must_leave_photos_to_train_on() -> None:
    with pytest.raises(ConfigError, match="leave nothing to train on"):
        load_settings(None, ["data.test_fraction=0.6", "data.validation_fraction=0.4"])


@pytest.mark.parametrize("content", ["- a\n- b\n", "a: [1\n", "\x00\x01"])
def test_an_unusable_file_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(content)
    with pytest.raises(ConfigError, match=r"bad\.yaml"):
        load_settings(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml"):
        load_settings(tmp_path / "none.yaml")


def test_settings_survive_json_with_integers_as_floats() -> None:
    text = RunSettings().model_dump_json().replace('"folds":3', '"folds":3.0')
    assert '"folds":3.0' in text
    assert RunSettings.model_validate_json(text) == RunSettings()

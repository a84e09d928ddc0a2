"""What ``configure`` settles and refuses before anything is spent."""

from pathlib import Path

import pytest

from phytoflow.config.overrides import SettingsOverrides
from phytoflow.errors import ConfigError, DataError
from phytoflow.steps.configure import NO_DATA, Plan, configure, run_parameters
from phytoflow.steps.settings import EvaluateStepSettings


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name in ("photos/rust", "photos/healthy", "field/RUST", "field/soil", "dogs/poodle", "empty"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "1.jpg").write_bytes(b"a photo")
    (tmp_path / "empty/1.jpg").unlink()
    return tmp_path


def configured(folders: Path, overrides: str) -> Plan:
    overrides = f"serving: {{publish: false}}\n{overrides.replace('HERE', str(folders))}"
    return configure(str(folders / "photos"), "default", 0, overrides, str(folders / "out"))


@pytest.mark.parametrize("name", ["external_data", "ood_data"])
def test_photos_from_elsewhere_that_changed_are_another_version(folders: Path, name: str) -> None:
    overrides = f"evaluation: {{{name}: HERE/field}}"
    first = configured(folders, overrides)
    version = getattr(first, f"{name}_version")
    assert version == getattr(configured(folders, overrides), f"{name}_version") != NO_DATA
    (folders / "field/RUST/2.jpg").write_bytes(b"another")
    again = configured(folders, overrides)
    assert getattr(again, f"{name}_version") != version
    assert again.data_version == first.data_version
    assert EvaluateStepSettings.of(again.settings) == EvaluateStepSettings.of(first.settings)


def test_what_run_parameters_hand_over_is_what_the_user_set(folders: Path) -> None:
    overrides = SettingsOverrides.read(
        None, ["preset=fast", "seed=7", "serving.publish=false", "gate.min_accuracy=0.5"]
    )
    parameters = run_parameters(str(folders / "photos"), overrides, str(folders / "out"))
    settings = configure(**parameters).settings  # type: ignore[arg-type]
    assert (settings.preset, settings.seed, settings.gate.min_accuracy) == ("fast", 7, 0.5)
    assert settings.training.finetune_blocks == 0


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ("evaluation: {external_data: HERE/dogs}", "poodle"),
        ("evaluation: {external_data: HERE/none}", "none"),
        ("evaluation: {external_data: HERE/empty}", "no class folders"),
        ("evaluation: {ood_data: HERE/none}", "none"),
        ("evaluation: {ood_data: HERE/empty}", "empty"),
    ],
)
def test_photos_from_elsewhere_that_are_none_are_refused(overrides: str, words: str, folders: Path) -> None:
    with pytest.raises(DataError, match=words):
        configured(folders, overrides)


def test_a_wrong_file_of_field_classes_is_refused(folders: Path) -> None:
    (folders / "classes.csv").write_text("folder,class\npoodle,rusty\n")
    with pytest.raises(ConfigError, match="'rusty'"):
        configured(folders, "evaluation: {external_data: HERE/dogs, external_class_map: HERE/classes.csv}")
    with pytest.raises(ConfigError, match=r"evaluation\.external_data is not"):
        configured(folders, "evaluation: {external_class_map: HERE/classes.csv}")
    (folders / "classes.csv").write_text("folder,class\npoodle,rust\n")
    configured(folders, "evaluation: {external_data: HERE/dogs, external_class_map: HERE/classes.csv}")


def test_an_output_that_would_go_with_the_pod_is_refused(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KFP_POD_NAME", "phytoflow-training-x7k2p-system-container-impl-42")
    with pytest.raises(ConfigError, match="gone when the step ends") as refusal:
        configured(folders, "")
    assert "output=s3://" in refusal.value.remedy


def test_machines_that_are_not_there_are_missed(folders: Path) -> None:
    with pytest.raises(ConfigError, match=r"trainjob\.enabled=true, and the pods"):
        configured(folders, "trainjob: {enabled: true}")


def test_weights_that_are_no_file_are_missed(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"model\.weights=.*/none\.safetensors is no file"):
        configured(folders, "model: {weights: HERE/none.safetensors}")
    (folders / "some.safetensors").write_bytes(b"weights")
    configured(folders, "model: {weights: HERE/some.safetensors}")
    configured(folders, "model: {weights: 's3://models/some.safetensors'}")

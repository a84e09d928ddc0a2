"""What ``configure`` settles and refuses before anything is spent."""

import json
from pathlib import Path

import pytest

from phytoflow.errors import ConfigError, DataError
from phytoflow.steps.configure import Plan, configure, section


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


def version_of(name: str, plan: Plan) -> str:
    return str(json.loads(plan.settings)["evaluation"][f"{name}_version"])


@pytest.mark.parametrize("name", ["external_data", "ood_data"])
def test_photos_from_elsewhere_that_changed_are_another_version(folders: Path, name: str) -> None:
    overrides = f"evaluation: {{{name}: HERE/field}}"
    first = configured(folders, overrides)
    assert version_of(name, first) == version_of(name, configured(folders, overrides)) != ""
    (folders / "field/RUST/2.jpg").write_bytes(b"another")
    again = configured(folders, overrides)
    assert version_of(name, again) != version_of(name, first)
    assert section(again.settings, "seed", "training") == section(first.settings, "seed", "training")


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

"""What a user may write, and how it is laid on top of one another."""

from pathlib import Path

import pytest

from phytoflow.config.overrides import SettingsOverrides
from phytoflow.errors import ConfigError


@pytest.mark.parametrize(
    "text",
    [
        "training:\n  batch_size: 8\nseed: 3\n",
        "training.batch_size: 8\nseed: 3\n",
        "{training: {batch_size: 8}, seed: 3}",
        "\ufefftraining: {batch_size: 8}\nseed: 3\n",
    ],
)
def test_a_dotted_key_means_the_key_of_that_section(text: str, tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text(text)
    overrides = SettingsOverrides.read(tmp_path / "settings.yaml")
    assert overrides.tree == {"training": {"batch_size": 8}, "seed": 3}


def test_a_section_may_be_written_in_both_spellings() -> None:
    overrides = SettingsOverrides.parse("training.batch_size: 8\ntraining: {seed: 3}\ntraining.mixup: 0.1\n")
    assert overrides.tree == {"training": {"batch_size": 8, "seed": 3, "mixup": 0.1}}


@pytest.mark.parametrize(
    "text",
    [
        "seed: 1\nseed: 2\n",
        "training: {batch_size: 8, batch_size: 9}\n",
        "training.batch_size: 8\ntraining: {batch_size: 9}\n",
        "training: {batch_size: 8}\ntraining.batch_size: 8\n",
        "training: 3\ntraining.batch_size: 8\n",
    ],
)
def test_a_key_that_is_set_twice_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="twice"):
        SettingsOverrides.parse(text, "settings.yaml")


def test_dots_inside_a_section_are_part_of_the_key() -> None:
    text = "deploy: {node_selector: {kubernetes.io/arch: amd64}}"
    assert SettingsOverrides.parse(text).tree == {
        "deploy": {"node_selector": {"kubernetes.io/arch": "amd64"}}
    }


def test_a_later_assignment_replaces_a_value_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("deploy: {node_selector: {gpu: a100}, cpu: '2'}\n")
    overrides = SettingsOverrides.read(
        tmp_path / "a.yaml", ["deploy.node_selector={disk: ssd}", "seed=1", "seed=2"]
    )
    assert overrides.tree == {"deploy": {"node_selector": {"disk": "ssd"}, "cpu": "2"}, "seed": 2}


@pytest.mark.parametrize("assignment", ["seed", "=3", " =3", "seed=[1"])
def test_what_is_no_assignment_is_refused(assignment: str) -> None:
    with pytest.raises(ConfigError):
        SettingsOverrides.read(None, [assignment])


def test_yaml_gives_back_what_was_set() -> None:
    tree = {"data": {"groups_csv": "Löwen zahn/#1.csv"}, "seed": 3, "gate": {"min_accuracy": 0.5}}
    assert SettingsOverrides.parse(SettingsOverrides(tree).to_yaml()).tree == tree


def test_nothing_unsafe_is_built_from_yaml() -> None:
    with pytest.raises(ConfigError):
        SettingsOverrides.parse("seed: !!python/object/apply:os.getcwd []")

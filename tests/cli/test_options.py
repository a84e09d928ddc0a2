import pytest

from phytoflow.cli.options import with_external_data
from phytoflow.config.overrides import SettingsOverrides


@pytest.mark.parametrize("folder", ["elsewhere", "a: b #1", 'Löwen\'s "best"', "100%"])
def test_a_folder_survives_as_a_setting_whatever_it_is_called(folder: str) -> None:
    assignments = with_external_data(["seed=3"], folder)
    tree = SettingsOverrides.read(None, assignments).tree
    assert tree == {"seed": 3, "evaluation": {"external_data": folder}}


def test_without_a_folder_nothing_is_set() -> None:
    assert with_external_data(None, "") == []

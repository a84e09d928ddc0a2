import optuna
import pytest

from phytoflow.config.loader import resolve
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.errors import ConfigError
from phytoflow.settings_base import SearchChoices, SearchRange
from phytoflow.tuning.space import search_space, starting_values, suggest, with_values


def given(*assignments: str) -> SettingsOverrides:
    return SettingsOverrides.read(None, assignments)


def test_full_varies_more_than_quick_and_what_the_user_set_is_left_alone() -> None:
    quick, full = set(search_space("quick", given())), set(search_space("full", given()))
    assert quick < full and "model.head" in full - quick
    assert full - set(search_space("full", given("training.rank=2"))) == {"training.rank"}


def test_the_starting_values_are_those_of_the_settings_and_in_the_space() -> None:
    overrides = given("preset=production")  # its augmentation is none of the choices
    space, settings = search_space("full", overrides), resolve(overrides)
    start = starting_values(space, settings)
    assert start["training.augmentation"] == "outdoor"
    assert resolve(with_values(overrides, start)) == settings
    for key, varied in space.items():
        if isinstance(varied, SearchChoices):
            assert start[key] in varied.values
        else:
            assert varied.low <= float(start[key]) <= varied.high


def test_every_value_that_is_drawn_is_accepted() -> None:
    space, study = search_space("full", given()), optuna.create_study()
    drawn = [suggest(study.ask(), space) for _ in range(30)]
    for values in drawn:
        settings = resolve(with_values(given(), values))
        assert settings.training.strategy == values["training.strategy"]
    for key, varied in space.items():
        seen = [values[key] for values in drawn]
        assert len(set(seen)) > 1
        if isinstance(varied, SearchRange):
            assert min(seen) < (varied.low * varied.high) ** 0.5 < max(seen)


def test_contradicting_choices_are_refused_before_anything_is_computed() -> None:
    with pytest.raises(ConfigError) as refusal:
        search_space("quick", given("model.weights=none"))
    assert "training.strategy=linear" in refusal.value.message
    space = search_space("quick", given("model.weights=none", "training.strategy=partial"))
    assert "training.strategy" not in space


def test_a_search_without_anything_to_vary_is_refused() -> None:
    start = starting_values(search_space("quick", given()), resolve(given()))
    with pytest.raises(ConfigError, match="every setting"):
        search_space("quick", with_values(given(), start))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("model.image_size=128", "list"),
        ("model.image_size=[[1]]", "list"),
        ("model=[1]", "list"),
        ("model.image_sise=[128]", "image_size"),
        ("training.rank=[0]", "training.rank"),
        ("training.rank=[]", "list"),
        ("gate.min_accuracy=[0.5, 0.6]", "cannot vary gate.min_accuracy"),
        ("training.devices=[1, 2]", "cannot vary training.devices"),
    ],
)
def test_wrong_choices_of_a_user_are_refused(text: str, named: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        search_space("quick", given(), given(text))
    assert named in refusal.value.message + refusal.value.remedy


def test_a_user_may_vary_any_setting_of_the_training() -> None:
    space = search_space("quick", given(), given("training.batch_size=[8, 64]"))
    varied = space["training.batch_size"]
    assert isinstance(varied, SearchChoices) and varied.values == (32, 8, 64)  # the starting value is added
    assert set(space) - {"training.batch_size"} == set(search_space("quick", given()))

import pytest
from pydantic import ValidationError

from phytoflow.data.settings import EXTERNAL_TEST_SET, DataSettings


def test_some_photos_must_be_left_to_train_on() -> None:
    assert DataSettings(validation_fraction=0.4, test_fraction=0.5).test_fraction == 0.5
    with pytest.raises(ValidationError, match="leave nothing to train on"):
        DataSettings(validation_fraction=0.5, test_fraction=0.5)


def test_every_setting_says_what_it_is() -> None:
    assert all(field.description for field in DataSettings.model_fields.values())


def test_an_external_test_set_is_one_set() -> None:
    assert EXTERNAL_TEST_SET.predefined_split == "ignore"

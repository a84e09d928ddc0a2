"""What every section of settings shares."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from phytoflow.settings_base import Fraction, Quantity, Section, Share


class Example(Section):
    """A section."""

    part: Fraction = 0.5
    share: Share = 0.5
    cpu: str = "1"
    memory: Quantity = "1Gi"


def test_a_share_may_be_nothing_or_all_and_a_fraction_neither() -> None:
    assert (Example(share=0).share, Example(share=1).share) == (0, 1)
    for value in (0, 1):
        with pytest.raises(ValidationError, match="part"):
            Example(part=value)


def test_an_unknown_key_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="shares"):
        Example.model_validate({"shares": 0.5})


def test_numbers_of_yaml_become_the_text_that_a_key_wants() -> None:
    assert Example.model_validate({"cpu": 2}).cpu == "2"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Example().share = 0.1  # type: ignore[misc]


@pytest.mark.parametrize("text", ["2", "0.5", "250m", "24Gi", "128974848", "129e6", "123M", "1Ki"])
def test_an_amount_is_in_kubernetes_notation(text: str) -> None:
    assert Example(memory=text).memory == text


@pytest.mark.parametrize("text", ["", "24GB", "24 Gi", "-1", "1.", "gi", "2Gi\n"])
def test_another_amount_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="24Gi"):
        Example(memory=text)

"""What every section of settings shares."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from phytoflow.settings_base import Fraction, PodSection, Quantity, Section, Share, amount


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


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2),
        ("0.5", 0.5),
        ("250m", 0.25),
        ("1Ki", 1024),
        ("24Gi", 24 * 1024**3),
        ("123M", 123e6),
        ("1E", 1e18),
    ],
)
def test_an_amount_has_a_value(text: str, value: float) -> None:
    assert amount(text) == value
    assert (amount("129e6"), amount("1E")) == (129e6, 1e18)


class Pod(PodSection):
    """A pod."""

    cpu: Quantity = "1"
    cpu_request: Quantity = "500m"
    memory: Quantity = "1Gi"
    memory_request: Quantity = "1G"


def test_a_pod_requests_no_more_than_its_limit() -> None:
    assert Pod(cpu="500m").cpu_request == "500m"
    with pytest.raises(ValidationError, match="cpu_request=500m is more than the limit cpu=400m"):
        Pod(cpu="400m")
    with pytest.raises(ValidationError, match="memory_request=1G is more than the limit memory=1M"):
        Pod(memory="1M")

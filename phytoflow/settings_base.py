"""What every section of settings shares."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Fraction = Annotated[float, Field(gt=0, lt=1)]


Share = Annotated[float, Field(ge=0, le=1)]
_QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|Ki|[MGTPE]i?|e\d+)?")


def _check_quantity(text: str) -> str:
    if not _QUANTITY.fullmatch(text):
        raise ValueError("an amount in Kubernetes notation, e.g. 2, 500m or 24Gi")
    return text


Quantity = Annotated[str, AfterValidator(_check_quantity)]
"""An amount of CPUs or bytes in Kubernetes notation."""
_DECIMAL, _BINARY = "kMGTPE", "KMGTPE"


def amount(quantity: str) -> float:
    """CPUs or bytes of a ``Quantity``."""
    number = quantity.rstrip("mkKMGTPEi")
    unit = quantity[len(number) :]
    if unit == "m":
        return float(number) / 1000
    if unit.endswith("i"):
        return float(number) * 1024 ** (_BINARY.index(unit[0]) + 1)
    return float(number) * 1000 ** (_DECIMAL.index(unit) + 1 if unit else 0)


@dataclass(frozen=True)
class SearchRange:
    """How ``phytoflow tune`` varies a number; metadata of the setting.

    Attributes:
        low: Smallest value.
        high: Largest value.
        presets: Search presets that vary the setting.
    """

    low: float
    high: float
    presets: tuple[str, ...] = ("quick", "full")


@dataclass(frozen=True)
class SearchChoices:
    """Values that ``phytoflow tune`` tries of a setting; metadata of the setting.

    Attributes:
        values: The values.
        presets: Search presets that vary the setting.
    """

    values: tuple[str | int | float, ...]
    presets: tuple[str, ...] = ("quick", "full")


class Section(BaseModel):
    """A group of settings: unknown keys are refused, values are frozen."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        protected_namespaces=(),
        coerce_numbers_to_str=True,  # YAML reads the 2 of deploy.cpu=2 as a number
    )


class PodSection(Section):
    """Settings of a pod with the keys cpu, cpu_request, memory and memory_request."""

    @model_validator(mode="after")
    def _requests_are_within_limits(self) -> Self:
        for limit_key in ("cpu", "memory"):
            limit, request = getattr(self, limit_key), getattr(self, f"{limit_key}_request")
            if amount(request) > amount(limit):
                raise ValueError(f"{limit_key}_request={request} is more than the limit {limit_key}={limit}")
        return self

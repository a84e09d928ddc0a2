"""What every section of settings shares."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(gt=0, lt=1)]


Share = Annotated[float, Field(ge=0, le=1)]
_QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|Ki|[MGTPE]i?|e\d+)?")


def _check_quantity(text: str) -> str:
    if not _QUANTITY.fullmatch(text):
        raise ValueError("an amount in Kubernetes notation, e.g. 2, 500m or 24Gi")
    return text


Quantity = Annotated[str, AfterValidator(_check_quantity)]
"""An amount of CPUs or bytes in Kubernetes notation."""


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

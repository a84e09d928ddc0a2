"""What every section of settings shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(gt=0, lt=1)]


Share = Annotated[float, Field(ge=0, le=1)]


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

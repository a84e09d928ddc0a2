"""Results of the robustness benchmark, as ``metrics.json`` holds them. Accuracies are in 0..1."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BackgroundChange(_Part):
    """Accuracy with other backgrounds, on the photos whose leaf can be separated from its own.

    Attributes:
        photos: Number of these photos.
        clean: Accuracy on them unchanged.
        accuracy: Accuracy at severities 1 to 5.
    """

    photos: int
    clean: float
    accuracy: tuple[float, ...]


class WorstClass(_Part):
    """The class with the lowest mean accuracy under corruption.

    Attributes:
        label: The class.
        accuracy: Its mean accuracy over corruptions and severities, 0..1.
    """

    label: str
    accuracy: float


class WorstGroup(_Part):
    """The pair of class and corruption with the lowest mean accuracy (Sagawa et al. 2020).

    Attributes:
        label: The class.
        corruption: The corruption.
        accuracy: Mean accuracy of the class under it over severities, 0..1.
    """

    label: str
    corruption: str
    accuracy: float


class Robustness(_Part):
    """Accuracy under corruption.

    Attributes:
        photos: Number of test photos corrupted.
        clean: Accuracy on them unchanged.
        accuracy: Accuracy under each corruption, at severities 1 to 5.
        mean_corruption_error: Mean error over corruptions and severities (Hendrycks & Dietterich 2019, but
            not divided by AlexNet's errors, which do not exist for these classes).
        worst_corruption: The corruption with the lowest mean accuracy.
        worst_class: The class with the lowest mean accuracy.
        worst_group: The pair of class and corruption with the lowest mean accuracy.
        background: Accuracy with other backgrounds. Not part of the means, because only photos with a mask
            can be changed. None if there are too few of them.
    """

    photos: int
    clean: float
    accuracy: dict[str, tuple[float, ...]]
    mean_corruption_error: float
    worst_corruption: str
    worst_class: WorstClass
    worst_group: WorstGroup
    background: BackgroundChange | None = None

    @property
    def lost(self) -> float:
        """Mean accuracy lost to corruption; negative if corrupted photos are classified better."""
        return self.mean_corruption_error - (1 - self.clean)

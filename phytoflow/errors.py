"""The project's errors: each says what went wrong and what to do, and has an exit code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_CODES = {
    0: "Done.",
    1: "Unforeseen: a defect, or a step that was killed.",
    2: "A wrong setting, option or argument.",
    3: "Photos that cannot be used as they are.",
    4: "Pretrained weights cannot be had.",
    5: "Storage: a file, folder or object store cannot be read or written.",
    6: "MLflow cannot be reached or refuses.",
    7: "A bundle is incomplete, altered, or of another schema.",
    8: "An exported model does not answer as the trained one.",
    10: "The gate refused the model.",
    11: "The predictor did not start, or answers wrongly.",
    12: "A cluster refused, or what was published there does not become ready.",
    13: "Kubeflow Pipelines cannot be reached, refuses, or the run failed there.",
    14: "Another run works in the same output folder.",
    15: "A rollout ended without a promotion: the model that answered before goes on.",
    129: "Ended by SIGHUP, a closed terminal. The same command resumes.",
    130: "Ended by Ctrl-C. The same command resumes.",
    143: "Ended by SIGTERM. The same command resumes.",
}
"""What the exit codes of `phytoflow` mean."""


class PhytoflowError(Exception):
    """Base of every error a user is meant to read.

    Args:
        message: What went wrong, naming the file, key or value it is about.
        remedy: What the reader can do about it; may be empty.
    """

    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  What to do: {self.remedy}" if self.remedy else self.message


class ConfigError(PhytoflowError):
    """A setting has a wrong key or value."""

    exit_code = 2


class DataError(PhytoflowError):
    """The photographs cannot be trained or evaluated on as they are."""

    exit_code = 3


class PhotoError(DataError):
    """One photograph cannot be used.

    Args:
        message: What is wrong with this photo.
        reason: A short, stable category such as ``"truncated"`` (used in tables and metric labels).
        remedy: What to do.
    """

    def __init__(self, message: str, *, reason: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.reason = reason


class WeightsError(PhytoflowError):
    """Pretrained weights cannot be had."""

    exit_code = 4


class StorageError(PhytoflowError):
    """A folder or object store cannot be read or written."""

    exit_code = 5


class TrackingError(PhytoflowError):
    """MLflow cannot be reached or refuses."""

    exit_code = 6


class BundleError(PhytoflowError):
    """A model bundle is incomplete, altered, or of another schema."""

    exit_code = 7


class ParityError(PhytoflowError):
    """An exported model does not give the trained model's answers."""

    exit_code = 8


class GateError(PhytoflowError):
    """The model is not good enough to publish."""

    exit_code = 10


class ServingError(PhytoflowError):
    """The predictor did not start, did not become ready, or answers wrongly."""

    exit_code = 11


class DeployError(ServingError):
    """A cluster refuses, or what was deployed does not become ready or answers wrongly.

    Args:
        message: What is wrong, naming the object it is about.
        reason: A short, stable category such as ``"image"`` or ``"quota"``.
        remedy: What to do.
    """

    exit_code = 12

    def __init__(self, message: str, *, reason: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.reason = reason


class BackendError(PhytoflowError):
    """The Kubeflow Pipelines backend cannot be reached, refuses, or says that a run failed."""

    exit_code = 13


class FolderInUseError(PhytoflowError):
    """Another run works in the same folder."""

    exit_code = 14


class RolloutError(PhytoflowError):
    """A challenger was not promoted."""

    exit_code = 15


def nearest_name(name: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """The known name that is most like ``name``, whatever its case; empty if none is.

    Args:
        name: What somebody wrote.
        known: What they may have meant.
        cutoff: Least similarity, 0 to 1 (``difflib.SequenceMatcher.ratio``).
    """
    lowered = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=cutoff)
    return lowered[near[0]] if near else ""

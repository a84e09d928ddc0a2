"""What a model said of each photo: the table every figure, picture and comparison is made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from phytoflow.storage.atomic import atomic_file

if TYPE_CHECKING:
    import pandas as pd

PREDICTIONS_FILE = "predictions.csv"
_PROBABILITY = "probability:"  # before a class name, so that a class may be called "path"


@dataclass(frozen=True)
class PhotoPredictions:
    """Labels and answers, one row a photo.

    Attributes:
        paths: Where each photo came from.
        groups: The thing each photo shows.
        labels: int64 [N], index of the true class.
        probabilities: float64 [N, C], rows sum to 1.
        classes: C class names.
        sha256: Hash of each photo's bytes; empty strings where not known (read back from a file).
        novelty: float64 [N], how strange each photo is, above 1 for a stranger; None where the bundle cannot
            tell.
    """

    paths: tuple[str, ...]
    groups: tuple[str, ...]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    classes: tuple[str, ...]
    sha256: tuple[str, ...] = ()
    novelty: NDArray[np.float64] | None = None

    @property
    def predicted(self) -> NDArray[np.int64]:
        """int64 [N], index of the class with the highest probability."""
        return self.probabilities.argmax(axis=1)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """float64 [N], highest probability of each photo."""
        return self.probabilities.max(axis=1)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the predicted class is the true one, bool [N]."""
        return self.predicted == self.labels

    @property
    def group_numbers(self) -> NDArray[np.int64]:
        """int64 [N], number of each photo's group, from 0."""
        return np.unique(np.asarray(self.groups), return_inverse=True)[1]

    def table(self) -> pd.DataFrame:
        """One row a photo: path, label, group, predicted, confidence, and one probability a class."""
        import pandas as pd

        names = np.asarray(self.classes, dtype=object)
        columns = {
            "path": self.paths,
            "label": names[self.labels],
            "group": self.groups,
            "predicted": names[self.predicted],
            "confidence": self.confidence,
        }
        columns |= {} if self.novelty is None else {"novelty": self.novelty}
        columns |= {f"{_PROBABILITY}{name}": self.probabilities[:, i] for i, name in enumerate(self.classes)}
        return pd.DataFrame(columns)

    def write(self, folder: Path) -> None:
        """Writes ``predictions.csv``."""
        with atomic_file(folder / PREDICTIONS_FILE) as aside:
            self.table().to_csv(aside, index=False, float_format="%.9g")

    @classmethod
    def read(cls, folder: Path) -> PhotoPredictions:
        """Reads ``predictions.csv`` back."""
        import pandas as pd

        # A class may be called "NA" and a group "007": nothing but the probabilities is a number.
        table = pd.read_csv(folder / PREDICTIONS_FILE, dtype=str, keep_default_na=False)
        columns = [name for name in table.columns if name.startswith(_PROBABILITY)]
        classes = tuple(name.removeprefix(_PROBABILITY) for name in columns)
        numbers = {name: number for number, name in enumerate(classes)}
        return cls(
            tuple(table["path"]),
            tuple(table["group"]),
            np.array([numbers[label] for label in table["label"]], dtype=np.int64),
            table[columns].to_numpy(dtype=np.float64),
            classes,
            novelty=table["novelty"].to_numpy(dtype=np.float64) if "novelty" in table else None,
        )


class Unreadable(BaseModel):
    """A photo that could not be used, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    reason: str

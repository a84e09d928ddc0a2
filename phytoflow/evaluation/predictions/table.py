"""The table of predictions, one row a photo: all metrics, charts and comparisons are computed from it."""

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
_PROBABILITY = "probability:"  # prefix of a class's column, so that a class may be called "path"


@dataclass(frozen=True)
class PhotoPredictions:
    """Labels and predictions of N photos.

    Attributes:
        paths: Path of each photo.
        groups: The physical thing that each photo shows.
        labels: int64 [N], index of the true class.
        probabilities: float64 [N, C], rows sum to 1.
        classes: Names of the C classes.
        sha256: Hash of each photo's bytes; empty if the table was read from a file.
        novelty: float64 [N], above 1 for unknown photos; None if the bundle has no OOD statistics.
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
        """Bool [N], whether the predicted class is the true one."""
        return self.predicted == self.labels

    @property
    def group_numbers(self) -> NDArray[np.int64]:
        """int64 [N], number of each photo's group, from 0."""
        return np.unique(np.asarray(self.groups), return_inverse=True)[1]

    def table(self) -> pd.DataFrame:
        """Path, label, group, predicted class, confidence, novelty if known, and each probability."""
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

    def select(self, rows: NDArray[np.bool_]) -> PhotoPredictions:
        """The rows where ``rows``, bool [N], is true."""
        places = np.nonzero(rows)[0]
        return PhotoPredictions(
            paths=tuple(self.paths[i] for i in places),
            groups=tuple(self.groups[i] for i in places),
            labels=self.labels[rows],
            probabilities=self.probabilities[rows],
            classes=self.classes,
            sha256=tuple(self.sha256[i] for i in places) if self.sha256 else (),
            novelty=None if self.novelty is None else self.novelty[rows],
        )

    def write(self, folder: Path) -> None:
        """Writes ``predictions.csv``; raises StorageError if the folder cannot be written."""
        with atomic_file(folder / PREDICTIONS_FILE) as aside:
            self.table().to_csv(aside, index=False, float_format="%.9g")

    @classmethod
    def read(cls, folder: Path) -> PhotoPredictions:
        """Reads ``predictions.csv``."""
        import pandas as pd

        # A class may be called "NA" and a group "007": only probabilities and novelty are numbers.
        table = pd.read_csv(folder / PREDICTIONS_FILE, dtype=str, keep_default_na=False)
        columns = [name for name in table.columns if name.startswith(_PROBABILITY)]
        classes = tuple(name.removeprefix(_PROBABILITY) for name in columns)
        numbers = {name: number for number, name in enumerate(classes)}
        return cls(
            paths=tuple(table["path"]),
            groups=tuple(table["group"]),
            labels=np.array([numbers[label] for label in table["label"]], dtype=np.int64),
            probabilities=table[columns].to_numpy(dtype=np.float64),
            classes=classes,
            novelty=table["novelty"].to_numpy(dtype=np.float64) if "novelty" in table else None,
        )


class Unreadable(BaseModel):
    """A photo that could not be read.

    Attributes:
        path: Path of the photo within the data set.
        reason: Why it could not be read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    reason: str

"""What is remembered of a prediction."""

from __future__ import annotations

import base64
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PredictionRecord:
    """A prediction as the journal and the table ``predictions`` have it; see ``tables.Prediction``."""

    id: str
    created: datetime
    user_id: str
    user_name: str
    source: str
    file_name: str
    photo_sha256: str
    label: str
    confidence: float
    known: bool | None
    novelty: float | None
    top: list[list[Any]]
    latency_ms: float
    model: str
    model_version: str
    request_id: str
    role: str = "champion"
    features: NDArray[np.float16] | None = None

    def line(self) -> dict[str, Any]:
        """As JSON; the features as base64 of little-endian float16."""
        fields = {name: value for name, value in vars(self).items() if name not in ("created", "features")}
        packed = (
            None
            if self.features is None
            else base64.b64encode(self.features.astype("<f2").tobytes()).decode()
        )
        return fields | {"created": self.created.timestamp(), "features": packed}


def row_of(line: dict[str, Any]) -> dict[str, Any]:
    """A line of the journal as a row of the table.

    Lines outlive the version that wrote them: what this version does not know is left out, and what an older
    one did not write gets its default.

    Raises:
        KeyError, TypeError, ValueError: The line is no prediction.
    """
    row = {name: line.get(name, default) for name, default in _DEFAULTS.items()}
    row |= {name: line[name] for name in _REQUIRED}
    packed = line.get("features")
    features = base64.b64decode(packed) if packed else None
    return row | {"created": datetime.fromtimestamp(line["created"], UTC), "features": features}


_DEFAULTS: dict[str, Any] = {
    field.name: field.default for field in fields(PredictionRecord) if field.default is not MISSING
}
_REQUIRED = tuple(field.name for field in fields(PredictionRecord) if field.default is MISSING)

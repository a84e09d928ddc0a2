"""`python -m benchmarks.gateway.without_log serve …`: a gateway that remembers nothing, to compare with."""

from __future__ import annotations

from serving.gateway.command import app
from serving.gateway.log.record import PredictionRecord
from serving.gateway.log.writer import LogWriter


def _forget(self: LogWriter, record: PredictionRecord) -> bool:
    return False  # as if it was dropped: nothing is written, no photo is stored


if __name__ == "__main__":
    LogWriter.add = _forget  # type: ignore[method-assign]
    app()

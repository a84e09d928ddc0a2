"""Reports finished epochs: metrics to the tracker, how far a fit is to the person who waits."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from phytoflow.system.progress import Progress, progress
from phytoflow.training.tracker_protocol import Tracker

_LOG = logging.getLogger(__name__)


class EpochReporter:
    """Reports the epochs of a training's fits.

    Args:
        tracker: Where each epoch's metrics go.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._counter: Progress | None = None
        self._last = ""

    @contextmanager
    def fit(self, name: str, epochs: int) -> Iterator[None]:
        """Shows the progress of a fit, and a line when it is done.

        Args:
            name: Name of the fit.
            epochs: Maximum number of epochs.
        """
        with progress(f"{name}, epochs", epochs) as self._counter:
            yield
        _LOG.info("%s done: %s", name, self._last)

    def report(self, fit: str, epoch: int, metrics: Mapping[str, float]) -> None:
        """Reports an epoch whose checkpoint is stored.

        Args:
            fit: Name of the fit.
            epoch: Number of the epoch, from 1.
            metrics: Its metrics.
        """
        self._tracker.log_metrics({f"{fit}/{name}": value for name, value in metrics.items()}, step=epoch)
        values = (f"{name.replace('/', ' ')} {value:.3f}" for name, value in sorted(metrics.items()))
        self._last = f"epoch {epoch}, {', '.join(values)}"
        if epoch == 1:  # the first figures, and a sign that epochs are stored
            _LOG.info("%s: %s", fit, self._last)
        if self._counter:
            self._counter.advance(epoch - self._counter.done)

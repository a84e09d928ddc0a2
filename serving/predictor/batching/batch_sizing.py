"""How many queued photos a free worker takes."""

from __future__ import annotations

from typing import NamedTuple

# Photos that a worker takes together even if the runtime's batches are smaller: delivering results to the
# event loop costs several times less for each photo after the first.
_MIN_QUOTA_CAP = 8


class BatchQuota(NamedTuple):
    """A worker's part of the photos in the predictor.

    Attributes:
        photos: Number of photos, at least 1.
        covers_all: Whether the parts of all workers hold all photos, but for what rounding leaves over.
    """

    photos: int
    covers_all: bool


def batch_quota(photos: int, workers: int, batch: int) -> BatchQuota:
    """Divides all photos in the predictor, queued or running, among the workers.

    A photo left behind by a smaller part would wait for two batches.

    Args:
        photos: Number of photos.
        workers: Number of workers.
        batch: Maximum batch size of the runtime. Above it only whole batches are taken: a smaller one costs
            more for each photo.
    """
    part, cap = max(photos // workers, 1), max(batch, _MIN_QUOTA_CAP)
    return BatchQuota(whole_batches(min(part, cap), batch), part <= cap)


def desynchronise(quota: BatchQuota, queued: int, recently_begun: int, workers: int, batch: int) -> int:
    """Reduces a worker's quota if all workers would otherwise finish at the same time.

    If the quotas hold all photos, a worker that has finished waits for the requests that follow its
    responses. If all workers did so at once, all CPUs would idle. A worker that begins together with others
    takes a quarter of its quota, which keeps it out of step for many batches.

    Args:
        quota: The worker's part.
        queued: Number of queued photos.
        recently_begun: Photos of batches that other workers have just begun.
        workers: Number of workers.
        batch: Maximum batch size of the runtime.

    Returns:
        Number of photos to take; 0 if none is queued.
    """
    photos = whole_batches(min(quota.photos, queued), batch)
    in_step = quota.covers_all and photos > 1 and 2 * recently_begun >= photos * workers
    return whole_batches(max(photos // 4, 1), batch) if in_step else photos


def whole_batches(photos: int, batch: int) -> int:
    """Rounds down to whole batches above one batch."""
    return photos if photos < batch else photos - photos % batch

"""How many of the photos that wait a free lane takes."""

from __future__ import annotations

from typing import NamedTuple

AT_ONCE = 8  # photos that a lane takes together, where the runtime's batch is no larger


class Share(NamedTuple):
    """A lane's part of the photos in the predictor.

    Attributes:
        photos: At least 1.
        whole: Whether the shares of all lanes hold all photos, but for what is left over by rounding.
    """

    photos: int
    whole: bool


def share(photos: int, lanes: int, batch: int) -> Share:
    """Divides all photos that are in the predictor, whether they wait or are run.

    A photo left behind by a smaller share would wait for two others. And what comes after a share, telling
    the event loop and its answering, finds caches that the network has emptied: the first photo costs several
    times what each further one does.

    Args:
        photos: How many there are.
        lanes: How many lanes there are.
        batch: Most photos that the runtime runs at once. Beyond it only whole batches are taken: a smaller
            one costs more a photo.
    """
    part, most = max(photos // lanes, 1), max(batch, AT_ONCE)
    return Share(_in_batches(min(part, most), batch), part <= most)


def out_of_step(part: Share, waiting: int, begun: int, lanes: int, batch: int) -> int:
    """How much of its share a lane takes, so that lanes do not finish at the same time.

    Where the shares hold all photos, a lane that has finished waits for those that follow its answers. If all
    lanes did so at once, all CPUs would. A lane that begins beside others takes a quarter of its share, which
    brings it out of step for many shares, and what it leaves behind waits no longer than that takes.

    Args:
        part: A lane's share.
        waiting: Photos that no lane has taken.
        begun: Photos that other lanes have begun with just now.
        lanes: How many lanes there are.
        batch: Most photos that the runtime runs at once.

    Returns:
        0 where none waits.
    """
    photos = _in_batches(min(part.photos, waiting), batch)
    in_step = part.whole and photos > 1 and 2 * begun >= photos * lanes
    return _in_batches(max(photos // 4, 1), batch) if in_step else photos


def _in_batches(photos: int, batch: int) -> int:
    return photos if photos < batch else photos - photos % batch

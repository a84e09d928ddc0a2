"""How many of the photos that wait a free lane takes."""

from __future__ import annotations

AT_ONCE = 8  # photos that a lane takes together, where the runtime's batch is no larger


def share(waiting: int, running: int, lanes: int, batch: int) -> int:
    """Its part of all that is in the predictor, whether it waits or is run.

    A photo left behind by a smaller share would wait for two others. And what comes after a share, telling
    the event loop and its answering, finds caches that the network has emptied: the first photo costs several
    times what each further one does.

    Args:
        waiting: Photos that no lane has taken.
        running: Photos that lanes have taken.
        lanes: How many lanes there are.
        batch: Most photos that the runtime runs at once. Beyond it only whole batches are taken: a smaller
            one costs more a photo.

    Returns:
        At least 1, or 0 where none waits.
    """
    part = min(waiting, max((waiting + running) // lanes, 1), max(batch, AT_ONCE))
    return part if part < batch else part - part % batch

"""How the C library keeps memory for the next photo."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # of malloc.h
_MEGABYTE = 2**20


def keep_for_next_photo() -> None:
    """Lets malloc reuse the memory of a photo's tensors instead of giving it back to the system each time.

    By default glibc maps blocks beyond 128 KB anew and unmaps them when they are freed, so that every photo
    pays for the faults of its pages. Threads of the process started later inherit the setting; where the C
    library has no ``mallopt`` nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, 32 * _MEGABYTE)
        mallopt(_TRIM_THRESHOLD, 128 * _MEGABYTE)
        mallopt(_TOP_PAD, 16 * _MEGABYTE)

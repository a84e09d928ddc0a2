"""How the C library keeps memory that will be wanted again.

By default glibc maps large blocks anew and unmaps them when they are freed, so that whoever takes and frees
the same arrays over and over pays each time for the faults of their pages. Where the C library has no
``mallopt`` nothing happens.
"""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -2, -3, -4, -8  # of malloc.h
_MEGABYTE = 2**20
LARGEST_KEPT, KEPT = 8 * _MEGABYTE, 32 * _MEGABYTE  # bytes: of a block, and of all that is free


def tune_malloc_for_serving() -> None:
    """Lets malloc reuse the memory of a photo's tensors; threads of the process started later inherit it.

    Blocks beyond ``LARGEST_KEPT`` bytes, which a photo of several megapixels may take while it is decoded, go
    back when they are freed, and so does free memory beyond ``KEPT``: a huge photo is soon forgotten.
    """
    _set({_MMAP_THRESHOLD: LARGEST_KEPT, _TRIM_THRESHOLD: KEPT, _TOP_PAD: 16 * _MEGABYTE})


def tune_malloc_for_training() -> None:
    """Lets malloc reuse the memory of a step of training on a CPU, some blocks of which are larger still.

    The process keeps the memory of its largest step until it ends.
    """
    _set({_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _ARENA_MAX: 1})


def _set(options: dict[int, int]) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in options.items():
            mallopt(option, value)

"""Tuning of glibc's malloc for memory that is soon needed again.

By default glibc maps each large block anew and unmaps it when it is freed. A process that allocates and frees
the same arrays over and over then pays for their page faults each time. With a C library that has no
``mallopt`` the functions do nothing.
"""

from __future__ import annotations

import ctypes

# Parameter numbers of <malloc.h>; ctypes sees no C constants.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -2, -3, -4, -8
_MEGABYTE = 2**20
LARGEST_KEPT = 8 * _MEGABYTE  # larger blocks are mapped and unmapped; a photo's tensors are far smaller
KEPT = 32 * _MEGABYTE  # free memory that the process keeps
_GROWTH = 16 * _MEGABYTE  # the heap grows by so much at a time
_NEVER = 2**31 - 1  # a threshold that is never reached: the largest int


def tune_malloc_for_serving() -> None:
    """Lets malloc reuse the memory of a photo's tensors; threads that start later inherit the setting.

    Blocks of more than ``LARGEST_KEPT`` bytes, as decoding a photo of many megapixels takes, are returned to
    the system when they are freed, and so is free memory beyond ``KEPT`` bytes.
    """
    _set({_MMAP_THRESHOLD: LARGEST_KEPT, _TRIM_THRESHOLD: KEPT, _TOP_PAD: _GROWTH})


def tune_malloc_for_training() -> None:
    """Lets malloc reuse the memory of a training step on a CPU, whose blocks are larger than in serving.

    The process keeps the memory of its largest step until it ends.
    """
    _set({_MMAP_MAX: 0, _TRIM_THRESHOLD: _NEVER, _ARENA_MAX: 1})


def _set(options: dict[int, int]) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in options.items():
            mallopt(option, value)

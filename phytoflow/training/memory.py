"""Memory that is freed and asked for again at every step."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8  # M_... of glibc's malloc.h
_LARGEST = 2**31 - 1


def keep_freed_memory() -> bool:
    """Tells glibc to keep what is freed, instead of giving it back to the system.

    Each step of training on a CPU frees and asks for the same tens of megabytes, layer by layer. glibc maps
    blocks so large anew each time, and the system fills them with zeros, page by page: half of the time of a
    step. The process keeps the memory of its largest step until it ends.

    Returns:
        Whether it is so now; on systems without glibc nothing is changed.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    wanted = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _LARGEST), (_ARENA_MAX, 1))
    return all(mallopt(option, value) == 1 for option, value in wanted)

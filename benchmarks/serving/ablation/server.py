"""``python -m benchmarks.serving.ablation.server --without=PIECE ...``: the predictor without a piece.

All further arguments are the predictor's own.
"""

from __future__ import annotations

import sys

import serving.predictor  # noqa: F401 (limits BLAS before numpy is imported)
from serving.predictor.__main__ import main as serve
from serving.predictor.lean_imports import skip_unused_imports

_OPTION = "--without="


def main(arguments: list[str]) -> int:
    """Takes the named pieces away and serves; returns the exit status."""
    names = [
        name for each in arguments if each.startswith(_OPTION) for name in each[len(_OPTION) :].split("+")
    ]
    own = [each for each in arguments if not each.startswith(_OPTION)]
    sys.argv = sys.argv[:1]  # kserve reads it on import
    with skip_unused_imports():
        from benchmarks.serving.ablation.removal import REMOVALS
    for name in filter(None, names):
        REMOVALS[name]()
    return serve(own)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

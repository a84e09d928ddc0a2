"""``python -m serving.predictor --bundle DIR``: serve a bundle with kserve."""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from phytoflow.errors import PhytoflowError
from phytoflow.system.malloc import tune_malloc_for_serving
from serving.predictor.engine.bundle_loader import Bundles
from serving.predictor.observability import logging as logs
from serving.predictor.options import read_options
from serving.predictor.server import serve

_LOG = logging.getLogger("phytoflow.predictor")


def main(arguments: Sequence[str]) -> int:
    """Runs the predictor.

    Returns:
        Exit status: 0 after an orderly end, the error's own otherwise.
    """
    options = read_options(arguments)
    logs.configure(options.log_level)
    tune_malloc_for_serving()
    try:
        with tempfile.TemporaryDirectory(prefix="phytoflow-bundle-") as folder:
            bundles = Bundles(options, Path(folder))
            serve(bundles, bundles.open(), options)
    except PhytoflowError as error:
        _LOG.error("%s", error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

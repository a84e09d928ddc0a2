"""``python -m serving.predictor --bundle DIR``: serves a bundle with kserve."""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from phytoflow.errors import PhytoflowError
from phytoflow.system.malloc import tune_malloc_for_serving
from serving.predictor.engine.bundle_loader import BundleLoader
from serving.predictor.observability import logging as logs
from serving.predictor.options import read_options
from serving.predictor.server import serve

_LOG = logging.getLogger("phytoflow.predictor")


def main(arguments: Sequence[str]) -> int:
    """Runs the predictor until it is told to stop.

    Returns:
        Exit status: 0 after a graceful shutdown, otherwise that of the error.
    """
    options = read_options(arguments)
    logs.configure(options.log_level)
    tune_malloc_for_serving()
    try:
        with tempfile.TemporaryDirectory(prefix="phytoflow-bundle-") as folder:
            loader = BundleLoader(options, Path(folder))
            serve(loader, loader.open(), options)
    except PhytoflowError as error:
        _LOG.error("%s", error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

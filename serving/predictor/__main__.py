"""``python -m serving.predictor --bundle DIR``: serve a bundle with kserve."""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from phytoflow.errors import PhytoflowError
from phytoflow.inference.classifier import Classifier
from phytoflow.storage.uri import fetch_folder
from serving.predictor import logs
from serving.predictor.options import Options, read_options
from serving.predictor.server import serve

_LOG = logging.getLogger("phytoflow.predictor")


def main(arguments: Sequence[str]) -> int:
    """Runs the predictor.

    Returns:
        Exit status: 0 after an orderly end, the error's own otherwise.
    """
    options = read_options(arguments)
    logs.configure(options.log_level)
    try:
        with tempfile.TemporaryDirectory(prefix="phytoflow-bundle-") as folder:
            serve(_classifier(options, Path(folder)), options)
    except PhytoflowError as error:
        _LOG.error("%s", error)
        return error.exit_code
    return 0


def _classifier(options: Options, folder: Path) -> Classifier:
    bundle = fetch_folder(options.bundle, folder / "bundle")
    # A lane is one thread that decodes and runs: two single-thread runs beat one run with two threads.
    return Classifier.load(bundle, options.runtime, 1, lanes=options.lanes)  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""BentoML: a service class whose API takes an uploaded picture."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import bentoml
from PIL.Image import Image

from benchmarks.serving.peers.common import Arguments, Model

_ENV = "LEAF_ARGUMENTS"


def _arguments() -> Arguments:
    work, port, form, workers = os.environ.get(_ENV, ".|0|torchscript|1").split("|")
    return Arguments(Path(work), int(port), form, int(workers))


@bentoml.service(
    workers=_arguments().workers, traffic={"timeout": 60}, logging={"access": {"enabled": False}}
)
class Leaf:
    def __init__(self) -> None:
        self._model = Model(_arguments())

    @bentoml.api
    def predict(self, image: Image) -> list[float]:
        return self._model.run([self._model.prepare_image(image)])[0].tolist()


if __name__ == "__main__":
    arguments = Arguments.read()
    os.environ[_ENV] = "|".join(map(str, vars(arguments).values()))
    command = [sys.executable, "-m", "bentoml", "serve", "benchmarks.serving.peers.bentoml_service:Leaf"]
    sys.exit(subprocess.call([*command, "--port", str(arguments.port)]))

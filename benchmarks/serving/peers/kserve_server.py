"""KServe's custom model sample: a Model with a synchronous predict, photos as base64 in V1 instances."""

from __future__ import annotations

import base64
import sys
from typing import Any

from benchmarks.serving.peers import common

if __name__ == "__main__":
    ARGUMENTS = common.Arguments.read()
    sys.argv = sys.argv[:1]  # kserve reads them when it is imported, here and in its children

from kserve import Model, ModelServer


class Leaf(Model):
    def __init__(self, arguments: common.Arguments) -> None:
        super().__init__("leaf")
        self._arguments = arguments
        self.load()

    def load(self) -> bool:
        self._model = common.Model(self._arguments)
        self.ready = True
        return self.ready

    def predict(self, payload: dict[str, Any], *_: Any) -> dict[str, Any]:
        contents = [base64.b64decode(instance["image"]["b64"]) for instance in payload["instances"]]
        return {"predictions": self._model.run([self._model.prepare(c) for c in contents]).tolist()}


if __name__ == "__main__":
    server = ModelServer(
        http_port=ARGUMENTS.port,
        enable_grpc=False,
        workers=ARGUMENTS.workers,
        access_log_format=None,
        enable_latency_logging=False,
    )
    server.start([Leaf(ARGUMENTS)])

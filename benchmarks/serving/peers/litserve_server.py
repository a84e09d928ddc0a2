"""LitServe: decode, predict and encode apart; batches of eight in its documented set-up."""

from __future__ import annotations

import base64
from typing import Any

import litserve
import numpy as np

from benchmarks.serving.peers.common import Arguments, Array, Model


class Leaf(litserve.LitAPI):
    def __init__(self, arguments: Arguments, **options: Any) -> None:
        super().__init__(**options)
        self._arguments = arguments

    def setup(self, device: str) -> None:
        self._model = Model(self._arguments)

    def decode_request(self, request: dict[str, str]) -> Array:
        return self._model.prepare(base64.b64decode(request["image"]))

    def predict(self, x: Any) -> Array:
        return self._model.run(x if x.ndim == 4 else x[None])

    def encode_response(self, output: Array) -> dict[str, list[float]]:
        return {"probabilities": np.ravel(output).tolist()}


if __name__ == "__main__":
    arguments = Arguments.read()
    batching: dict[str, Any] = {} if arguments.workers > 1 else {"max_batch_size": 8, "batch_timeout": 0.005}
    server = litserve.LitServer(
        Leaf(arguments, **batching), accelerator="cpu", workers_per_device=arguments.workers, timeout=60
    )
    server.run(port=arguments.port, log_level="warning", generate_client_file=False, access_log=False)

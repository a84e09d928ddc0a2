"""MLServer: a custom runtime, photos as V2 BYTES in base64."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import mlserver
from mlserver.codecs import Base64Codec, NumpyCodec
from mlserver.settings import ModelParameters, ModelSettings, Settings
from mlserver.types import InferenceRequest, InferenceResponse

from benchmarks.serving.peers.common import Arguments, Model


class Leaf(mlserver.MLModel):
    async def load(self) -> bool:
        extra: Any = self.settings.parameters.extra  # type: ignore[union-attr]
        self._model = Model(Arguments(**{**extra, "work": _path(extra["work"])}))
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        contents = Base64Codec.decode_input(payload.inputs[0])
        answers = self._model.run([self._model.prepare(content) for content in contents])
        return InferenceResponse(
            model_name=self.name, outputs=[NumpyCodec.encode_output("probabilities", answers)]
        )


def _path(text: str) -> Any:
    from pathlib import Path

    return Path(text)


async def main(arguments: Arguments) -> None:
    sys.argv = sys.argv[:1]
    (arguments.work / "mlserver").mkdir(exist_ok=True)
    settings = Settings(
        http_port=arguments.port,
        grpc_port=arguments.port + 1,
        metrics_port=arguments.port + 2,
        parallel_workers=arguments.workers,
        host="127.0.0.1",
        debug=False,
        use_structured_logging=False,
        metrics_dir=str(arguments.work / "mlserver"),
    )
    extra = {**vars(arguments), "work": str(arguments.work)}
    model = ModelSettings(name="leaf", implementation=Leaf, parameters=ModelParameters(extra=extra))
    await mlserver.MLServer(settings).start([model])


if __name__ == "__main__":
    from benchmarks.serving.peers import mlserver_runtime

    asyncio.run(mlserver_runtime.main(Arguments.read()))

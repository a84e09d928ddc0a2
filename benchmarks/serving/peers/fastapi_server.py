"""FastAPI as its tutorials have it: an uploaded file, the model called in the handler."""

from __future__ import annotations

import functools
import os
import sys

import uvicorn
from fastapi import FastAPI, UploadFile

from benchmarks.serving.peers.common import Arguments, Model

app = FastAPI()


@functools.cache
def model() -> Model:
    return Model(Arguments.read())


@app.on_event("startup")
def load() -> None:
    model()


@app.get("/health")
def health() -> str:
    return "ready"


@app.post("/predict")
async def predict(file: UploadFile) -> list[float]:
    return model().answer(await file.read())


if __name__ == "__main__":
    arguments = Arguments.read()
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    uvicorn.run(
        "benchmarks.serving.peers.fastapi_server:app",
        port=arguments.port,
        workers=arguments.workers,
        access_log=False,
        log_level="warning",
        timeout_worker_healthcheck=60,
    )

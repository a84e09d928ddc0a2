"""Triton's Python backend: the file its model repository points to."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = os.environ["LEAF_PATH"].split(os.pathsep)  # Triton's own Python does not read PYTHONPATH

import numpy as np  # noqa: E402
import triton_python_backend_utils as triton  # noqa: E402

from benchmarks.serving.peers.common import Arguments, Model  # noqa: E402


class TritonPythonModel:
    def initialize(self, args: dict[str, Any]) -> None:
        fields = json.loads(os.environ["LEAF_ARGUMENTS"])
        self._model = Model(Arguments(**{**fields, "work": Path(fields["work"])}))

    def execute(self, requests: list[Any]) -> list[Any]:
        contents = [triton.get_input_tensor_by_name(r, "image").as_numpy().ravel() for r in requests]
        rows = self._model.run([self._model.prepare(c) for photos in contents for c in photos])
        answers, start = [], 0
        for photos in contents:
            rows_of = rows[start : start + len(photos)].astype(np.float32)
            answers.append(triton.InferenceResponse([triton.Tensor("probabilities", rows_of)]))
            start += len(photos)
        return answers

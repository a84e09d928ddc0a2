"""BLAS has no threads besides the workers: a photo's few rows are not worth waking them."""

from __future__ import annotations

import json
import subprocess
import sys

_ASK = """
import json, serving.predictor, numpy
from threadpoolctl import threadpool_info
print(json.dumps([pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]))
"""


def test_the_predictors_blas_has_one_thread() -> None:
    found = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, check=True)
    assert set(json.loads(found.stdout)) == {1}

"""What holds of every runtime."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.inference.runtimes.base import RuntimeName
from phytoflow.inference.runtimes.factory import RUNTIMES, open_runtime


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_call_alone_and_calls_at_once_give_the_same_answers(bundle: Path, name: RuntimeName) -> None:
    opened = Bundle.load(bundle)
    photos = np.stack([opened.manifest.preprocessing(content) for content in opened.probe_contents()])
    runtime = open_runtime(name, opened, threads=1, concurrency=2)
    expected = runtime.run(photos).logits
    with ThreadPoolExecutor(5) as callers:  # more than it was opened for
        jobs = [callers.submit(runtime.run, photos, exclusive=turn % 3 == 0) for turn in range(40)]
        for job in jobs:
            np.testing.assert_allclose(job.result().logits, expected, atol=1e-4)

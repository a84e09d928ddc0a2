"""The memory of a photo's tensors is used again for the next photo."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PHOTOS = 50
CODE = f"""
import resource, sys
import numpy as np
from serving.predictor.memory import keep_for_next_photo
if sys.argv[1] == "kept":
    keep_for_next_photo()
pixels = np.ones((224, 224, 3), np.uint8)
pixels.astype(np.float32) * 2 - 1
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({PHOTOS}):
    pixels.astype(np.float32) * 2 - 1
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_a_photo_costs_no_page_faults() -> None:
    assert _faults("kept") < PHOTOS < _faults("default")


def _faults(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", CODE, how], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return int(done.stdout)

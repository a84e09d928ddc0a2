"""Memory that is taken and freed over and over costs no page faults; a huge photo's goes back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 50
CODE = f"""
import resource, sys
import numpy as np
from phytoflow.system import malloc as memory
getattr(memory, sys.argv[1], lambda: None)()
size = int(sys.argv[2])
def faults():
    np.ones(size, np.uint8).fill(2)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
before = faults()
for _ in range({ROUNDS}):
    after = faults()
print(after - before)
"""

HUGE = """
import numpy as np
from pathlib import Path
from phytoflow.system import malloc as memory
memory.tune_malloc_for_serving()
def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
before = megabytes()
canvases, after_them = [np.ones(20 * 2**20, np.uint8) for _ in range(2)], [bytes(1000) for _ in range(1000)]
taken = megabytes()
del canvases
print(taken - before, megabytes() - before)
"""


@pytest.mark.parametrize(
    ("how", "size"), [("tune_malloc_for_serving", 3 * 2**20), ("tune_malloc_for_training", 2**26)]
)
def test_what_is_freed_is_used_again(how: str, size: int) -> None:
    assert _faults(how, size) < ROUNDS < _faults("default", size)


def test_what_a_huge_photo_took_is_not_kept() -> None:
    run = subprocess.run([sys.executable, "-c", HUGE], cwd=ROOT, capture_output=True, text=True, check=True)
    taken, kept = map(float, run.stdout.split())
    assert kept < 5 < 35 < taken


def _faults(how: str, size: int) -> int:
    code = [sys.executable, "-c", CODE, how, str(size)]
    return int(subprocess.run(code, cwd=ROOT, capture_output=True, text=True, check=True).stdout)

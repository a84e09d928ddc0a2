import subprocess
import sys

CODE = """
import numpy as np
from benchmarks.data.memory import peak_bytes, reset_peak
large = np.ones(20_000_000)
del large
before = peak_bytes()
reset_peak()
print(before - peak_bytes())
"""


def test_the_peak_is_set_back() -> None:
    """In a process of its own: another one may keep memory that is freed, and use it again."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 100e6

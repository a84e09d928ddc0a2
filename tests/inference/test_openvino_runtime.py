"""What OpenVINO does to the process it runs in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from phytoflow.models.bundle import Bundle


@pytest.fixture
def path(bundle: Path) -> str:
    return str(Bundle.load(bundle).model_path("onnx"))


_SWAPPED = """
import signal, sys, threading
from phytoflow.inference.openvino_runtime import OpenVinoRuntime

signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
versions = [OpenVinoRuntime(sys.argv[1], threads=1, lanes=2) for _ in range(2)]
versions.pop(0)
swapping = threading.Thread(target=versions.clear)
swapping.start()
swapping.join()
signal.raise_signal(signal.SIGTERM)
"""


def test_a_signal_is_handled_after_models_have_gone(path: str) -> None:
    """In whatever order and thread: OpenVINO's stack for signals went with them, and SIGTERM then killed."""
    ended = subprocess.run([sys.executable, "-c", _SWAPPED, path], timeout=120)
    assert ended.returncode == 7  # -11 is a segmentation fault

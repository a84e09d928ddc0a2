"""Fixtures that several rooms share."""

import io
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.pop("MLFLOW_TRACKING_URI", None)  # tests record in their own folders, not at their user's server
for _number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    # A shell's background job ignores some of them, and so would the processes that tests interrupt.
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)


@pytest.fixture(scope="session")
def real_photos() -> Path:
    """Real photographs, which are not in the repository: the folder that ``PHYTOFLOW_TEST_DATA`` names."""
    folder = os.environ.get("PHYTOFLOW_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip(
            "no real photos: PHYTOFLOW_TEST_DATA names no folder with plantvillage-apple and dandelion-grass"
        )
    return Path(folder)


@pytest.fixture
def encode() -> Callable[..., bytes]:
    """Encodes a uint8 array [H, W, 3] as an image file."""

    def _encode(pixels: np.ndarray, image_format: str = "PNG", **options: object) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, image_format, **options)
        return buffer.getvalue()

    return _encode


@pytest.fixture
def texture() -> np.ndarray:
    """A photo-like picture: uint8 [300, 400, 3], smooth shapes with detail."""
    y, x = np.mgrid[0:300, 0:400]
    waves = [np.sin(x / a + y / b) for a, b in ((17, 31), (23, 11), (7, 13))]
    return np.stack([(127 + 100 * w) for w in waves], -1).astype(np.uint8)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small real bundle; do not write into it."""
    from tests.support.make_bundle import make_bundle

    return make_bundle(tmp_path_factory.mktemp("bundle") / "bundle")

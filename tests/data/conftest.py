"""What the tests of the ingest share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own are for their owner only."""
    with tempfile.TemporaryDirectory(prefix="phytoflow-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)

"""The device files decide, as a container has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoflow.system.gpu import has_gpu


@pytest.mark.parametrize(
    ("files", "visible", "expected"),
    [
        (["nvidiactl", "nvidia0"], None, True),
        (["nvidia11"], "0", True),
        (["nvidia0"], "", False),
        (["nvidia0"], "-1", False),
        (["nvidiactl", "nvidia-uvm"], None, False),  # the driver, and no GPU given
        ([], None, False),
    ],
)
def test_a_gpu_is_a_device_file_that_is_not_hidden(
    tmp_path: Path, files: list[str], visible: str | None, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    for name in files:
        (tmp_path / name).touch()
    assert has_gpu(tmp_path) is expected

"""Each server is started as the comparison says it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.serving.commands import command_of, environment_of
from benchmarks.serving.registry import OURS, PEERS


def test_several_processes_have_one_thread_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert environment_of(PEERS[0], 2, tmp_path)["OMP_NUM_THREADS"] == "1"
    assert "OMP_NUM_THREADS" not in environment_of(PEERS[0], 1, tmp_path)


def test_ours_gets_no_help_that_a_user_would_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MALLOC_TRIM_THRESHOLD_", "OMP_WAIT_POLICY"):  # a library may have set them for this process
        monkeypatch.delenv(name, raising=False)
    helped = set(environment_of(PEERS[0], 1, tmp_path)) - set(environment_of(OURS, 1, tmp_path))
    assert {"MALLOC_TRIM_THRESHOLD_", "OMP_WAIT_POLICY"} <= helped


def test_ours_runs_the_bundle_that_the_peers_run(tmp_path: Path) -> None:
    ours = command_of(OURS, "onnx", 1, 1234, tmp_path)
    assert {f"{tmp_path}/bundle", "--http_port=1234", "--runtime=onnx"} <= set(ours)
    assert f"--work={tmp_path}" in command_of(PEERS[0], "onnx", 2, 1234, tmp_path)

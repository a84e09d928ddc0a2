"""A round keeps what it measured, and goes on without a peer that cannot be had."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from benchmarks.serving.environments import UnavailableError
from benchmarks.serving.measure import Asking
from benchmarks.serving.registry import PEERS, Peer
from benchmarks.serving.results import Result
from benchmarks.serving.rounds import Round
from benchmarks.serving.servers import Server

_NOTHING = Asking([], np.empty((0, 2), np.float32), seconds=1, patience=0)
_MISSING = Peer("Missing", "no_such_module", (), "/", "/", PEERS[0].ask, PEERS[0].read)


def a_round(output: Path, process: psutil.Process, wanted: str = "missing") -> Round:
    (output / "rounds").mkdir(exist_ok=True)
    return Round(0, output, "onnx", _NOTHING, Server(0, process, 0.0), frozenset([wanted]))


def test_a_peer_that_does_not_start_is_kept_with_its_reason(tmp_path: Path) -> None:
    found = a_round(tmp_path, psutil.Process()).result(_MISSING, "handed", "onnx", 1)
    assert found and not found.rows and "no_such_module" in found.why
    assert Result.model_validate_json((tmp_path / "rounds" / "missing-handed-0.json").read_text()) == found


def test_without_ours_there_is_nothing_to_compare(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as ours:
        assert ours.stdout
        ours.stdout.read()  # it has ended, and nobody has waited for it yet
        with pytest.raises(UnavailableError, match="no_such_module"):
            a_round(tmp_path, psutil.Process(ours.pid)).result(_MISSING, "handed", "onnx", 1)
    assert not list((tmp_path / "rounds").iterdir())


def test_what_the_folder_has_is_not_measured_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = a_round(tmp_path, psutil.Process())
    kept = Result(name="Missing", setup="handed", form="onnx", first=7.0)
    (tmp_path / "rounds" / "missing-handed-0.json").write_text(kept.model_dump_json())
    assert now.result(_MISSING, "handed", "onnx", 1) == kept
    assert "remove it to measure again" in capsys.readouterr().err


def test_who_is_not_wanted_is_left_out(tmp_path: Path) -> None:
    now = a_round(tmp_path, psutil.Process(), wanted="triton")
    assert now.result(_MISSING, "handed", "onnx", 1) is None
    assert now.own() is None and now.bound() is None

"""The printed ratios are those of the rounds."""

from __future__ import annotations

import pytest

from benchmarks.gateway.log_sender import _Cost, _print, _relative


def test_ratios_are_of_pairs_in_one_round() -> None:
    assert (
        _relative([99, 198, 297], [100, 200, 300]) == "0.990 (0.990 to 0.990)"
    )  # however the machine drifts


def test_each_predictor_is_compared_with_the_one_without_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    _print({"no log": [_Cost(200, 0.004)] * 3, "log": [_Cost(198, 0.00402)] * 3})
    without, with_log = capsys.readouterr().out.splitlines()
    assert without.startswith("no log: 200 photos/s, relative 1.000")
    assert with_log == (
        "log: 198 photos/s, relative 0.990 (0.990 to 0.990); "
        "CPU 4.020 ms a photo, relative 1.005 (1.005 to 1.005)"
    )

import pytest

from benchmarks.data.growth import Measured
from benchmarks.data.steps import measure_photos, measure_rows


def names(output: str) -> list[str]:
    return [Measured.from_json(line).step for line in output.splitlines()]


def test_every_step_of_photos_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    measure_photos(60, "")
    steps = ["list", "labels", "scan, 16 parts", "merge", "check and split", "table and page", "shards"]
    assert names(capsys.readouterr().out) == steps


def test_rows_pass_the_steps_that_need_no_photo(capsys: pytest.CaptureFixture[str]) -> None:
    measure_rows(2000)
    assert names(capsys.readouterr().out) == ["write parts", "merge", "check and split"]

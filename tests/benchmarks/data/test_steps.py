import pytest

from benchmarks.data.steps import Steps, measure_photos, measure_rows


def names(output: str) -> list[str]:
    return [line.split("|")[2].strip() for line in output.splitlines()]


def test_every_step_of_photos_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    measure_photos(60, "")
    steps = ["list", "labels", "scan, 16 parts", "merge", "check and split", "table and page", "shards"]
    assert names(capsys.readouterr().out) == steps


def test_rows_pass_the_steps_that_need_no_photo(capsys: pytest.CaptureFixture[str]) -> None:
    measure_rows(2000)
    assert names(capsys.readouterr().out) == ["write parts", "merge", "check and split"]


def test_figures_are_also_given_for_a_million() -> None:
    steps = Steps(10_000, [("scan", 2.0, 150_000_000)])
    assert list(steps.lines(100_000_000)) == ["| 10,000 | scan | 2.0 | 150 | 200 | 5,000 |"]

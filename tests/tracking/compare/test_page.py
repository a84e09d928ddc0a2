"""The page of a comparison."""

from __future__ import annotations

from pathlib import Path

from phytoflow.tracking.compare.comparison import compare_runs
from phytoflow.tracking.compare.page import write_runs_page
from tests.support.run_records import run_record


def test_the_page_lays_curves_over_each_other_and_escapes_names(tmp_path: Path) -> None:
    loss = {"train/loss": [(0, 1.0), (1, 0.5)]}
    one = run_record(
        "<one>", {"test.accuracy": 0.9, "test.photos": 40}, parameters={"seed": "0"}, curves=loss
    )
    two = run_record("two", {"test.accuracy": 0.8, "test.photos": 40}, parameters={"seed": "1"}, curves=loss)
    write_runs_page(compare_runs([one, two]), tmp_path / "runs.html")
    page = (tmp_path / "runs.html").read_text()
    assert page.count("<svg") == 1 and "&lt;one&gt;" in page and "<one>" not in page
    assert "1: &lt;one&gt;" in page and "2: two" in page.split("<svg")[1]  # both in the chart's legend
    assert "90.0%" in page and "80.0%" in page and "different photos" not in page
    assert "src=" not in page and "http://" not in page.replace("http://www.w3.org", "")


def test_a_page_of_runs_that_were_not_evaluated(tmp_path: Path) -> None:
    write_runs_page(compare_runs([run_record("a"), run_record("b")]), tmp_path / "runs.html")
    assert "None: all settings are the same." in (tmp_path / "runs.html").read_text()

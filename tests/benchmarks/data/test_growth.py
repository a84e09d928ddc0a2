from pathlib import Path

from benchmarks.data.growth import Measured, draw_growth, table_lines

SCANS = [
    Measured("photos", 10_000, "scan", 2.0, 150_000_000),
    Measured("photos", 20_000, "scan", 5.0, 170_000_000),
    Measured("rows", 20_000, "scan", 1.0, 900_000_000),
]


def test_figures_are_also_given_for_a_million() -> None:
    assert list(table_lines(SCANS)) == [
        "| 10,000 | photos | scan | 2.0 | 150 | 200 |  |",
        "| 20,000 | photos | scan | 5.0 | 170 | 250 | 2,000 |",
        "| 20,000 | rows | scan | 1.0 | 900 | 50 |  |",
    ]


def test_a_line_is_read_as_it_was() -> None:
    assert [Measured.from_json(one.to_json()) for one in SCANS] == SCANS


def test_the_plot_names_each_step(tmp_path: Path) -> None:
    draw_growth(SCANS, tmp_path / "growth.svg")
    first = (tmp_path / "growth.svg").read_text()
    assert "scan (photos)" in first and "scan (rows)" in first
    draw_growth(SCANS, tmp_path / "growth.svg")
    assert (tmp_path / "growth.svg").read_text() == first

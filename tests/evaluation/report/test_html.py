import re
from pathlib import Path


def test_the_page_needs_no_network_and_no_other_file(evaluation: Path) -> None:
    page = (evaluation / "report.html").read_text()
    sources = re.findall(r"""(?:src|href)=["']([^"']*)""", page)
    assert len(sources) >= 4
    assert all(source.startswith(("data:image/", "#")) for source in sources)  # "#": within an SVG
    without_namespaces = re.sub(r'xmlns(:xlink)?="[^"]*"', "", page)
    assert "http://" not in without_namespaces
    assert "https://" not in without_namespaces
    assert "@import" not in page
    assert "<script" not in page


def test_the_page_opens_with_the_headline_and_three_numbers_with_intervals(evaluation: Path) -> None:
    page = (evaluation / "report.html").read_text()
    assert "<h1>Right on 24 of 26 test photos; with so few, between 75% and 99% is likely.</h1>" in page
    assert page.count('<div class="card tile">') == 3
    first_screen = page[: page.index("Confusion matrix")]
    assert first_screen.count("<small>likely ") == 3
    assert "red taken for blue (2 photos)" in first_screen
    assert "Not tested at all, because there are no test photos: blue" in first_screen


def test_mistakes_are_shown_and_names_are_escaped(evaluation: Path) -> None:
    page = (evaluation / "report.html").read_text()
    shown = page[page.index("Most confident mistakes") : page.index("Least confident answers")]
    assert shown.count("<img") == 2
    assert "red/&lt;b&gt;odd &amp; bad&lt;/b&gt;.jpg" in shown
    assert "but it is red" in shown


def test_the_confusion_matrix_is_a_table_with_a_header_for_each_row_and_column(evaluation: Path) -> None:
    page = (evaluation / "report.html").read_text()
    table = page[page.index('<div class="confusion"') : page.index("Most confused pairs")]
    assert table.count('scope="row"') == 3 and table.count('scope="col"') == 4
    assert 'title="red given blue: 2">2</td>' in table
    assert table.count('class="right"') == 2 and table.count('class="wrong"') == 1


def test_the_most_confused_pair_is_listed_with_its_photos(evaluation: Path) -> None:
    page = (evaluation / "report.html").read_text()
    pairs = page[page.index("Most confused pairs") : page.index("<h2>Calibration")]
    assert "2 of 14 photos" in pairs and pairs.count("<img") == 2


def test_the_page_follows_the_readers_colour_scheme(evaluation: Path) -> None:
    page = (evaluation / "report.html").read_text()
    assert "prefers-color-scheme: dark" in page
    assert "<svg" in page and "var(--ink" in page


def test_what_was_not_measured_has_no_section(evaluation: Path) -> None:
    page = (evaluation / "report.html").read_text()
    for title in (
        "External test set",
        "Robustness",
        "Inference variants",
        "Leakage",
        "Background bias",
        "Training</h2>",
    ):
        assert title not in page[page.index("</style>") :]

"""The page of `phytoflow compare --html`: two bundles on the same photos."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.images.thumbnail import thumbnail
from phytoflow.evaluation.compare.bundles import BundleComparison, Disagreement, describe_comparison
from phytoflow.evaluation.metrics.bootstrap import Interval
from phytoflow.evaluation.report.phrases import between, percent
from phytoflow.html.page import render_page
from phytoflow.storage.atomic import atomic_file

_TEMPLATE = Path(__file__).with_name("page.html")
_MAX_PHOTOS = 24
_SIDE = 240  # pixels of a thumbnail's longer side


class Row(NamedTuple):
    """A metric of both bundles; shares in 0..1."""

    name: str
    first: float
    second: float
    intervals: tuple[Interval, Interval] | None = None


def write_comparison_page(
    comparison: BundleComparison, bundles: tuple[Path, Path], photos: Iterable[LabelledPhoto], output: Path
) -> None:
    """Writes the page.

    Args:
        comparison: The comparison.
        bundles: Folders of the first and of the second bundle.
        photos: The photos compared; some that only one bundle classifies correctly are shown.
        output: The file to write.

    Raises:
        StorageError: It cannot be written.
    """
    headline, *lines = describe_comparison(comparison)
    text = render_page(
        _TEMPLATE,
        headline=headline,
        lines=lines,
        bundles=[str(bundle) for bundle in bundles],
        rows=_rows(comparison),
        confusions=comparison.confusions,
        shown=_choose_photos(comparison.disagreements, photos),
        disagreements=len(comparison.disagreements),
        photos=comparison.paired.photos,
        percent=percent,
        between=between,
    )
    with atomic_file(output) as aside:
        aside.write_text(text, encoding="utf-8")


def _rows(comparison: BundleComparison) -> list[Row]:
    one, two = comparison.metrics
    rows = [
        Row(name, getattr(one, key), getattr(two, key), (one.intervals[key], two.intervals[key]))
        for name, key in (("Accuracy", "accuracy"), ("Macro-F1", "macro_f1"))
    ]
    rows.append(Row("Calibration error", one.ece, two.ece))
    return rows + [
        Row(f"F1 of {name}", row.f1, two.per_class[name].f1)
        for name, row in one.per_class.items()
        if row.support
    ]


def _choose_photos(
    disagreements: Sequence[Disagreement], photos: Iterable[LabelledPhoto]
) -> list[tuple[Disagreement, bytes]]:
    """The first disagreements with their thumbnails."""
    chosen = {photo.path: photo for photo in disagreements[:_MAX_PHOTOS]}
    return [(chosen[photo.path], thumbnail(photo.content, _SIDE)) for photo in photos if photo.path in chosen]

"""One run's figures beside another's: a self-contained page for `phytoflow compare --html`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.evaluation.compare.bundles import Parted, Versus, lines
from phytoflow.evaluation.metrics.bootstrap import Interval
from phytoflow.evaluation.report.examples import thumbnail
from phytoflow.evaluation.report.html import environment
from phytoflow.storage.atomic import atomic_file

_TEMPLATE = Path(__file__).with_name("page.html")
_MOST_SHOWN = 24


class Row(NamedTuple):
    """A figure of both; shares in 0..1."""

    name: str
    first: float
    second: float
    intervals: tuple[Interval, Interval] | None = None


def write_beside(
    found: Versus, bundles: tuple[Path, Path], photos: Iterable[LabelledPhoto], output: Path
) -> None:
    """Writes the page.

    Args:
        found: The comparison.
        bundles: Folders of the first and the second.
        photos: Those compared; some that only one names rightly are shown.
        output: The file.

    Raises:
        StorageError: It cannot be written.
    """
    page = environment().from_string(_TEMPLATE.read_text(encoding="utf-8"))
    text = page.render(
        said=lines(found),
        bundles=[str(bundle) for bundle in bundles],
        rows=_rows(found),
        confusions=found.confusions,
        shown=_shown(found.parted, photos),
        parted=len(found.parted),
        photos=found.paired.photos,
    )
    with atomic_file(output) as aside:
        aside.write_text(text, encoding="utf-8")


def _rows(found: Versus) -> list[Row]:
    one, two = found.figures
    rows = [
        Row(name, getattr(one, key), getattr(two, key), (one.intervals[key], two.intervals[key]))
        for name, key in (("Accuracy", "accuracy"), ("Macro-F1", "macro_f1"))
    ]
    rows.append(Row("Calibration error", one.ece, two.ece))
    return rows + [
        Row(f"F1 of {name}", figures.f1, two.per_class[name].f1)
        for name, figures in one.per_class.items()
        if figures.support
    ]


def _shown(parted: Sequence[Parted], photos: Iterable[LabelledPhoto]) -> list[tuple[Parted, bytes]]:
    wanted = {photo.path: photo for photo in parted[:_MOST_SHOWN]}
    return [(wanted[photo.path], thumbnail(photo.content)) for photo in photos if photo.path in wanted]

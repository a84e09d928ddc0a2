"""The bundle that is served and the photos that are asked about."""

from __future__ import annotations

from pathlib import Path

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.synthetic.dataset import make_synthetic_dataset

BUNDLE, PHOTOS = "bundle", "photos"
_PER_CLASS = 12


def load_photos(folder: Path) -> list[LabelledPhoto]:
    """Every JPEG of a class-folder tree, sorted by path."""
    return [
        LabelledPhoto(path.relative_to(folder).as_posix(), path.parent.name, path.stem, path.read_bytes())
        for path in sorted(folder.rglob("*.jp*g"))
    ]


def prepare(output: Path, photos: Path | None) -> tuple[Path, list[LabelledPhoto]]:
    """Draws photos where none are given, and writes the model and the bundle once.

    Args:
        output: Where they are kept.
        photos: A class-folder tree of JPEGs; None: leaves are drawn.

    Returns:
        The bundle's folder and the photos to ask about.
    """
    drawn = output / PHOTOS
    if photos is None and not drawn.exists():
        make_synthetic_dataset(drawn, photos_per_class=_PER_CLASS)
    found = load_photos(photos or drawn)
    if not (output / BUNDLE).exists():
        from benchmarks.serving.network import write  # torch stays out of the process that measures

        write(output, found[:: max(1, len(found) // 32)])
    return output / BUNDLE, found

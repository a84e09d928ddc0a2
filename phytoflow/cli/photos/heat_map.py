"""A picture of where in a photo the evidence for a class is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phytoflow.cli.photos.classifiers import Explanation, PhotoSource
from phytoflow.cli.photos.results import PhotoResult
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.ingest.file_names import printable
from phytoflow.errors import PhotoError
from phytoflow.inference.attribution import blend
from phytoflow.storage.atomic import atomic_file

_ZOOM = 3  # pixels drawn for one of the network's, which sees 224: too few to look at


def write_heat_map(image: Path, source: PhotoSource, label: str, output: Path) -> None:
    """Writes a heat map over the photo as a PNG and prints the classes.

    Args:
        image: A photo.
        source: Explains it.
        label: Class to explain; empty: the most likely one.
        output: PNG file to write.

    Raises:
        ConfigError: There is no such class.
        PhotoError: The photo cannot be used.
        ServingError: The predictor cannot be reached or refuses.
        StorageError: The output cannot be written.
    """
    content = _read(image)
    if label:
        source.check_class(label)
    explanation, picture = _explain(image, content, source, label)
    with atomic_file(output) as partial:
        picture.save(partial, "PNG")
    ranking = explanation.ranking
    result = PhotoResult(
        printable(str(image)), ranking.labels, ranking.scores, ranking.known, ranking.novelty
    )
    print(result.to_line())
    print(f"evidence for {explanation.label}: {output}")


def _read(image: Path) -> bytes:
    try:
        return image.read_bytes()
    except OSError as error:
        what = f"{printable(str(image))}: {error.strerror}"
        raise PhotoError(what, reason="unreadable", remedy="give the path of one photo") from error


def _explain(image: Path, content: bytes, source: PhotoSource, label: str) -> tuple[Explanation, Image.Image]:
    try:
        explanation = source.explain(content, label or None)
        return explanation, _draw(source.preprocessing, content, explanation.heat)
    except PhotoError as error:
        what = f"{printable(str(image))}: {error.message}"
        raise PhotoError(what, reason=error.reason, remedy=error.remedy) from error


def _draw(preprocessing: Preprocessing, content: bytes, heat: NDArray[np.float32]) -> Image.Image:
    """The photo's central square with the heat on it, larger than the network sees it."""
    pixels = preprocessing.model_copy(update={"size": preprocessing.size * _ZOOM}).decode(content)
    side = pixels.shape[0]
    smooth = Image.fromarray(heat).resize((side, side), Image.Resampling.BICUBIC)
    return Image.fromarray(blend(pixels, np.clip(np.asarray(smooth), 0, 1)))

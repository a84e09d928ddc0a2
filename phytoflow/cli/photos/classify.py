"""Classifying many photos: in batches, with bad ones reported and the rest going on."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from phytoflow.cli.photos.classifiers import PhotoSource
from phytoflow.cli.photos.inputs import InputFile, describe_skipped, list_files
from phytoflow.cli.photos.results import PhotoResult, write_results
from phytoflow.client.prediction import RefusedError
from phytoflow.data.images.limits import Limits
from phytoflow.errors import ConfigError, PhotoError, PhytoflowError

_BATCH = 8  # photos read and classified at once: bounds memory, and half of a request's default limit
_LOG = logging.getLogger(__name__)


def classify_photos(
    images: Sequence[Path], source: PhotoSource, *, top_k: int, as_json: bool, output: Path | None
) -> int:
    """Prints one line a photo, or writes all results to a file.

    Photos that cannot be classified are named on the error stream and have an ``error`` in the file. Files
    of a folder that training would not read are skipped, and listed on the error stream at the end.

    Args:
        images: Photos, or folders of photos.
        source: Classifies them.
        top_k: Classes shown per photo; all, if there are fewer.
        as_json: Print one JSON object per line instead of text.
        output: ``.csv``, ``.json`` or ``.jsonl`` file to write instead of printing.

    Returns:
        How many photos could not be classified.

    Raises:
        ConfigError: No photo is there.
        ServingError: The predictor cannot be reached.
        StorageError: The output cannot be written.
    """
    files = list(list_files(images))
    photos = [file for file in files if not file.skipped]
    skipped = describe_skipped(file for file in files if file.skipped)
    if not photos:
        remedy = "\n".join(["give photos or folders of photos", *skipped])
        raise ConfigError(f"no photo in {', '.join(map(str, images))}", remedy=remedy)
    results = _report(_classify(photos, source, top_k), as_json=as_json, quiet=output is not None)
    if output:
        write_results(output, results)
        print(f"{len(results)} {'photo' if len(results) == 1 else 'photos'}: {output}")
    for line in skipped:
        _LOG.warning("%s", line)
    return sum(bool(result.error) for result in results)


def _report(results: Iterator[PhotoResult], *, as_json: bool, quiet: bool) -> list[PhotoResult]:
    """Prints each result as soon as it is there; errors go to the log."""
    collected = []
    for result in results:
        collected.append(result)
        if result.error:
            _LOG.error("%s", result.to_line())
        elif not quiet:
            print(result.to_json() if as_json else result.to_line(), flush=True)
    return collected


def _classify(photos: Sequence[InputFile], source: PhotoSource, top_k: int) -> Iterator[PhotoResult]:
    remaining = iter(photos)
    while batch := list(islice(remaining, _BATCH)):
        yield from _classify_batch(batch, source, top_k)


def _classify_batch(batch: Sequence[InputFile], source: PhotoSource, top_k: int) -> list[PhotoResult]:
    """Classifies some photos at once; if one of them is refused, each alone."""
    try:
        rankings = source.rank([_read(entry.file) for entry in batch], top_k)
    except (PhytoflowError, OSError) as error:
        if len(batch) > 1:
            return [result for entry in batch for result in _classify_batch([entry], source, top_k)]
        if not isinstance(error, PhotoError | RefusedError | OSError):
            raise  # not about this photo
        return [PhotoResult(batch[0].path, error=_describe(error))]
    rows = zip(batch, rankings, strict=True)
    return [PhotoResult(entry.path, r.labels, r.scores, r.known, r.novelty) for entry, r in rows]


def _read(file: Path) -> bytes:
    """Reads a file, unless its size alone rules it out; raises PhotoError or OSError."""
    Limits().check_bytes(file.stat().st_size)
    return file.read_bytes()


def _describe(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    text = getattr(error, "message", str(error))
    return str(text).replace("photo 0: ", "")  # its number within the request

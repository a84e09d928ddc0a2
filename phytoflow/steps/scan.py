"""The scan step: reads one part of the photos, on a cluster at the same time as others read theirs."""

from __future__ import annotations

from pathlib import Path

from phytoflow.steps.settings import PreprocessStepSettings


def scan(
    data: str, data_version: str, settings: PreprocessStepSettings, part: int, parts: int, output: Path
) -> None:
    """Reads the photos of one part and writes their table; the preprocess step puts the tables together.

    Args:
        data: Where the photos are.
        data_version: Of the photos; all parts must have been scanned of the same one.
        settings: What the preprocess step reads.
        part: Number of the part, from 0.
        parts: How many there are.
        output: The Parquet file to write.
    """
    from phytoflow.data.parts.scan import scan_part
    from phytoflow.data.parts.scanned import scan_version
    from phytoflow.data.sources.open import open_source

    version = scan_version(data_version, settings.data)
    with open_source(data, output.parent, settings.seed, copy=False) as root:
        scan_part(root, settings.data, part, parts, version, output)

"""Makes folders of small photos: each its own picture, the same for the same seed."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from phytoflow.data.ingest.labels import read_labels
from phytoflow.data.ingest.scan import scan
from phytoflow.data.settings import DataSettings


def picture(seed: int, width: int = 64, height: int = 48) -> Image.Image:
    """Soft coloured blobs, unlike those of any other seed."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, form: str = "JPEG", **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def make_folder(root: Path, counts: dict[str, int], first_seed: int = 1000) -> Path:
    """``counts`` photos a class, named 0.jpg, 1.jpg and on."""
    seed = first_seed
    for label, count in counts.items():
        for number in range(count):
            write(root / label / f"{number}.jpg", encoded(picture(seed), quality=92))
            seed += 1
    return root


def scan_folder(root: Path, settings: DataSettings | None = None) -> pd.DataFrame:
    """The table of a folder whose sub-folders are classes, whatever their names."""
    settings = settings or DataSettings(threads=1)
    return scan(root, read_labels(root, settings, judge=False), settings)

"""Many small photos, each its own picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 96, 72  # pixels; about 2 kB as a JPEG
CLASSES = 10


def make_photos(root: Path, count: int, seed: int = 0) -> None:
    """Writes soft coloured blobs in class folders.

    Args:
        root: Folder of the class folders.
        count: Number of photos.
        seed: Determines them.
    """
    rng = np.random.default_rng(seed)
    for label in range(CLASSES):
        (root / f"class-{label}").mkdir(parents=True)
    for number in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
        photo = coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        photo.save(root / f"class-{number % CLASSES}" / f"{number:07d}.jpg", quality=85)

"""Small dataset folders for the tests of shards, dataset and loader."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.shards.dataset import DatasetSummary
from phytoflow.data.shards.format import ShardEntry
from phytoflow.data.shards.writer import write_index, write_shards

CLASSES = ("healthy", "rust")


def photo(number: int, image_format: str = "JPEG") -> LabelledPhoto:
    """A photo of its own size whose pixels depend on its number."""
    generator = np.random.default_rng(number)
    pixels = generator.integers(0, 256, (40 + number % 7, 48, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, image_format)
    label = CLASSES[number % 2]
    return LabelledPhoto(f"{label}/Ä {number}.jpg", label, f"leaf-{number // 3}", content.getvalue())


def dataset_folder(folder: Path, counts: dict[str, int], shard_bytes: int = 2**20) -> list[ShardEntry]:
    """Writes a dataset folder with so many photos a split, at a size of 32 pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    entries: list[ShardEntry] = []
    for split, count in counts.items():
        photos = (photo(n) for n in range(count))
        entries += write_shards(split, photos, {c: i for i, c in enumerate(CLASSES)}, folder, shard_bytes)
    write_index(folder, entries)
    facts = DatasetSummary(
        data_hash="0" * 64,
        classes=CLASSES,
        counts={s: {"healthy": (n + 1) // 2, "rust": n // 2} for s, n in counts.items()},
        groups={s: -(-n // 3) for s, n in counts.items()},
        seed=0,
        preprocessing=Preprocessing(size=32),
    )
    (folder / "dataset.json").write_text(facts.model_dump_json())
    return entries

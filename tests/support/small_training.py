"""A small dataset that can be learnt: stripes against checks, in varied colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from phytoflow.data.prepare import prepare
from phytoflow.data.settings import DataSettings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.models.factory import preprocessing_for
from phytoflow.models.settings import ModelSettings

MODEL = ModelSettings(image_size=64)


def small_dataset(folder: Path, photos: int = 24, model: ModelSettings = MODEL) -> Dataset:
    """Writes photos and the dataset folder; ``photos`` for each of two classes."""
    write_photos(folder / "photos", photos)
    settings = DataSettings(near_duplicate_max_distance=0)
    prepare(str(folder / "photos"), settings, preprocessing_for(model), 0, folder / "dataset")
    return Dataset.open(folder / "dataset")


def write_photos(folder: Path, photos: int) -> None:
    """Writes class folders; ``photos`` for each of two classes."""
    random = np.random.default_rng(5)
    for label in ("checks", "stripes"):
        (folder / label).mkdir(parents=True)
        for number in range(photos):
            picture(random, label).save(folder / label / f"{number:03d}.png")


def picture(random: np.random.Generator, label: str) -> Image.Image:
    """uint8 RGB of about 90 pixels a side."""
    height, width = (int(side) for side in random.integers(80, 100, 2))
    y, x = np.mgrid[0:height, 0:width]
    period, turn = random.uniform(6, 14), random.uniform(0, np.pi)
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    wave = np.sin(2 * np.pi * u / period) * (np.sin(2 * np.pi * v / period) if label == "checks" else 1)
    low, high = random.uniform(0, 255, (2, 3))
    mixed = low + (high - low) * (wave[..., None] > 0) + random.normal(0, 20, (height, width, 3))
    return Image.fromarray(mixed.clip(0, 255).astype(np.uint8))


class Notes:
    """A tracker that keeps what it is told."""

    run_id = "noted"

    def __init__(self) -> None:
        self.metrics: list[tuple[int, dict[str, float]]] = []
        self.names: list[str] = []

    def log_params(self, params: Any) -> None:
        """Keeps nothing."""

    def log_metrics(self, metrics: Any, *, step: int = 0) -> None:
        """Keeps figures."""
        self.metrics.append((step, dict(metrics)))

    def log_artifact(self, path: Path, folder: str = "") -> None:
        """Keeps the name."""
        self.names.append(path.name)

    def log_figure(self, figure: Any, name: str) -> None:
        """Keeps the name."""
        self.names.append(name)

"""Photos drawn from a known distribution, as the monitor sees them."""

import io
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from phytoflow.bundle.bundle import write_manifest
from phytoflow.bundle.reports import DriftReference
from phytoflow.inference.classifier import Classifier
from phytoflow.monitoring.observations import Observations, observe
from phytoflow.monitoring.reference import Reference
from phytoflow.ood.detector import OodDetector
from phytoflow.storage.checksum import file_sha256
from tests.support.golden import BUNDLE, PHOTOS

CLASSES = ("scab", "rot", "rust", "healthy")
SHARES = (0.4, 0.3, 0.2, 0.1)


def draw(
    generator: np.random.Generator,
    count: int,
    *,
    shares: tuple[float, ...] = SHARES,
    moved: float = 0.0,
    features: bool = True,
) -> Observations:
    """Photos whose values are independent and normal; ``moved`` shifts the first component."""
    values = generator.normal(size=(count, 37)).astype(np.float32)
    values[:, 5] += moved
    if not features:
        values[:, 2:] = np.nan
    confidence = 1 / (1 + np.exp(-values[:, 0] - 3))
    return Observations(
        generator.choice(len(CLASSES), count, p=shares),
        confidence,
        0.3 * values[:, 1],
        values[:, 2:5].copy(),
        values[:, 5:].copy(),
    )


def draw_reference(seed: int, count: int, group_size: int = 1) -> Reference:
    """A reference of the same distribution, whose answers are right as often as they claim."""
    generator = np.random.default_rng(seed)
    observations = draw(generator, count)
    right = generator.random(count) < observations.confidence
    true = np.where(right, observations.label, (observations.label + 1) % len(CLASSES))
    return Reference(observations, true, np.arange(count) // group_size, CLASSES)


def bundle_with_reference(folder: Path, photos: int = 60) -> Path:
    """A copy of the recorded bundle whose reference holds drawn photos, each a little different."""
    shutil.copytree(BUNDLE, folder)
    classifier = Classifier.load(folder, "onnx")
    seen = observe_photos(classifier, leaf_photos(0, photos))
    true = np.random.default_rng(0).permutation(seen.label)
    Reference(seen, true, np.arange(photos), classifier.classes).save(folder / "drift_reference.npz")
    part = DriftReference(
        file="drift_reference.npz",
        sha256=file_sha256(folder / "drift_reference.npz"),
        photos=photos,
        split="validation",
    )
    write_manifest(folder, classifier.bundle.manifest.model_copy(update={"drift_reference": part}))
    return folder


def leaf_photos(first: int, count: int, brightness: float = 1.0) -> list[bytes]:
    """The recorded photos, each with noise of its own, as PNG files."""
    files = sorted(PHOTOS.rglob("*.jpg"))
    contents = []
    for number in range(first, first + count):
        pixels = np.asarray(Image.open(files[number % len(files)]).convert("RGB")).astype(float)
        noise = np.random.default_rng(number).normal(0, 6, pixels.shape)
        buffer = io.BytesIO()
        Image.fromarray(np.clip(pixels * brightness + noise, 0, 255).astype(np.uint8)).save(buffer, "PNG")
        contents.append(buffer.getvalue())
    return contents


def observe_photos(classifier: Classifier, contents: Sequence[bytes]) -> Observations:
    """What the monitor keeps of photos, with their features as they are logged."""
    preprocessing = classifier.bundle.manifest.preprocessing
    detector = OodDetector.from_bundle(classifier.bundle)
    outputs = classifier.outputs(np.stack([preprocessing(content) for content in contents]))
    answers = classifier.to_predictions(outputs)
    assert outputs.features is not None and detector is not None
    return observe(
        answers.probabilities.argmax(axis=1),
        answers.probabilities.max(axis=1),
        answers.novelty,
        outputs.features.astype(np.float16),
        detector.statistics,
    )

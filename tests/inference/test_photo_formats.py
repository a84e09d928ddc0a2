"""One scene in several colour spaces and formats gets the same answer from a trained model."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from phytoflow.inference.classifier import Classifier
from tests.support.golden import BUNDLE, PHOTOS
from tests.support.photo_files import PROFILES, heic
from tests.support.photo_folder import encoded

SCENES = sorted(PHOTOS.rglob("*.jpg"))


def in_space(image: Image.Image, name: str) -> Image.Image:
    """The scene as a camera set to that space stores it, with the profile."""
    target = ImageCms.ImageCmsProfile(io.BytesIO(PROFILES[name]))
    converted = ImageCms.profileToProfile(image, ImageCms.createProfile("sRGB"), target, outputMode="RGB")
    assert converted is not None
    return converted


@pytest.fixture(scope="module")
def old() -> Classifier:
    """A trained model whose bundle was made before photos were converted."""
    return Classifier.load(BUNDLE, "onnx", 1)


@pytest.fixture(scope="module")
def current(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """The same model in a bundle of today."""
    folder = tmp_path_factory.mktemp("current") / "bundle"
    shutil.copytree(BUNDLE, folder)
    manifest = json.loads((folder / "bundle.json").read_text())
    manifest["preprocessing"]["decoder"] = 2
    (folder / "bundle.json").write_text(json.dumps(manifest))
    return Classifier.load(folder, "onnx", 1)


def spread(classifier: Classifier, scene: Image.Image) -> float:
    """Largest difference of a probability between the scene in sRGB and in three other spaces."""
    files = [encoded(scene, "PNG")]
    files += [encoded(in_space(scene, name), "PNG", icc_profile=PROFILES[name]) for name in PROFILES]
    probabilities = classifier.predict(files).probabilities
    return float(np.abs(probabilities - probabilities[0]).max())


def spreads(classifier: Classifier, paths: list[Path]) -> np.ndarray:
    return np.array([spread(classifier, Image.open(path).convert("RGB")) for path in paths])


def test_colour_spaces_give_the_same_probabilities(current: Classifier, old: Classifier) -> None:
    """Rounding to 8 bits in the other space is all that is left: it moves a photo the model is unsure of."""
    now, before = spreads(current, SCENES), spreads(old, SCENES)
    assert np.median(now) < 0.02 and now.max() < 0.03
    assert np.median(before) > 3 * np.median(now), "before profiles were converted"


def test_colour_spaces_of_real_photos(current: Classifier, old: Classifier, real_photos: Path) -> None:
    paths = sorted((real_photos / "plantvillage-apple").rglob("*.[jJ][pP][gG]"))[::300]
    assert np.median(spreads(current, paths)) < 0.01 < np.median(spreads(old, paths))


def phone_differences(classifier: Classifier, paths: list[Path], orientation: int) -> np.ndarray:
    """Largest difference of a probability between the JPEG of a scene and its HEIC and AVIF."""
    differences = []
    for path in paths:
        scene = Image.open(path).convert("RGB")
        files = [
            encoded(scene, quality=98, subsampling=0, exif=_exif(orientation)),
            heic(scene, orientation, quality=98, chroma=444),
            encoded(scene, "AVIF", quality=98, subsampling="4:4:4", exif=_exif(orientation)),
        ]
        probabilities = classifier.predict(files).probabilities
        differences.append(np.abs(probabilities - probabilities[0]).max())
    return np.array(differences)


@pytest.mark.parametrize("orientation", [1, 6])
def test_phones_formats_are_near_the_jpeg(current: Classifier, orientation: int) -> None:
    differences = phone_differences(current, SCENES, orientation)
    assert np.median(differences) < 0.02, "what three lossy encoders make of a scene"


def test_phones_formats_of_real_photos_are_near_the_jpeg(current: Classifier, real_photos: Path) -> None:
    paths = sorted((real_photos / "plantvillage-apple").rglob("*.[jJ][pP][gG]"))[::300]
    assert np.median(phone_differences(current, paths, 6)) < 0.02


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif

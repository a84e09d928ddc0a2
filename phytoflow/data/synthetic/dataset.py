"""A synthetic dataset of leaf photos, for trying phytoflow without photos of one's own: five classes.

Leaf shape, veins, colour, age, light, shadow, background, pose, size and aspect ratio vary in the same way in
every class; the classes differ in the shape and texture of their lesions. The set shows that everything
works; it does not show how accurate a model is on real leaves.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from phytoflow.data.synthetic.backgrounds import draw_background
from phytoflow.data.synthetic.drawing import Array, colour, mix, noise, smoothstep
from phytoflow.data.synthetic.leaf import Leaf, draw_leaf, light_leaf, paint_leaf
from phytoflow.data.synthetic.lesions import LESIONS
from phytoflow.errors import DataError
from phytoflow.storage.atomic import atomic_folder
from phytoflow.system.progress import track
from phytoflow.system.threads import thread_map

CLASSES = tuple(LESIONS)


def make_synthetic_dataset(output: Path, photos_per_class: int = 40, seed: int = 0) -> Path:
    """Draws the dataset and writes it as ``output/CLASS/CLASS-0001.jpg`` and so on, completely or not at all.

    The same seed gives the same bytes, and a larger set begins with the photos of a smaller one.

    Args:
        output: The folder to write; it must be missing or empty.
        photos_per_class: Photos in each of the five classes.
        seed: Seed of all random numbers.

    Returns:
        ``output``.

    Raises:
        DataError: ``output`` is not empty, or ``photos_per_class`` is less than 1.
    """
    if photos_per_class < 1:
        raise DataError(f"cannot draw {photos_per_class} photos a class", remedy="ask for 1 or more")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise DataError(f"{output} is not empty", remedy="choose a new folder: nothing is overwritten")
    with atomic_folder(output) as folder:
        for label in CLASSES:
            (folder / label).mkdir()
        todo = [(label, number) for label in CLASSES for number in range(1, photos_per_class + 1)]
        photos = thread_map(lambda item: draw_photo(*item, seed), todo)
        for (label, number), content in zip(
            todo, track(photos, "Drawing leaves", total=len(todo)), strict=True
        ):
            (folder / label / f"{label}-{number:04d}.jpg").write_bytes(content)
    return output


def draw_photo(label: str, number: int, seed: int) -> bytes:
    """Draws one photo of a class and returns it as a JPEG of 240 to 420 pixels a side."""
    rng = np.random.default_rng([seed, CLASSES.index(label), number])
    height = int(rng.integers(240, 361))
    width = int(np.clip(height * rng.choice([0.75, 1, 1, 4 / 3]), 240, 420))
    return _take_photo(rng, _draw_scene(rng, (height, width), label))


def _draw_scene(rng: np.random.Generator, shape: tuple[int, int], label: str) -> Array:
    leaf = draw_leaf(rng, shape)
    behind = _blur(draw_background(rng, shape), float(rng.choice([0, 1, 2.5])))
    behind = behind * (1 - rng.uniform(0.2, 0.6) * _cast_shadow(rng, leaf))[..., None]
    surface = light_leaf(rng, leaf, LESIONS[label](rng, leaf, paint_leaf(rng, leaf)))
    scene = mix(behind, colour(rng, (40, 110), (0.3, 0.6), (0.3, 0.6)), leaf.stalk)
    scene = mix(scene, surface, leaf.cover * (1 - _holes(rng, leaf)))
    return _light_draw_scene(rng, scene)


def _cast_shadow(rng: np.random.Generator, leaf: Leaf) -> Array:
    """Returns the leaf's shadow on the background, shifted and soft: float32 [H, W]."""
    shift = rng.integers(-14, 15, 2)
    shadow = Image.fromarray((np.roll(leaf.cover, shift, (0, 1)) * 255).astype(np.uint8))
    soft = shadow.filter(ImageFilter.BoxBlur(rng.uniform(1, 7)))
    return np.asarray(soft, np.float32) / 255


def _holes(rng: np.random.Generator, leaf: Leaf) -> Array:
    """Returns insect bites, in some leaves of every class: 1 where the leaf is missing."""
    if rng.random() < 0.6:
        return np.zeros_like(leaf.along)
    field = noise(rng, leaf.along.shape, leaf.length / 9)
    return smoothstep(field, rng.uniform(1.7, 2.2), 2.3)


def _light_draw_scene(rng: np.random.Generator, scene: Array) -> Array:
    """Applies exposure, the light's colour, its gradient across the photo and sometimes a shadow's edge."""
    height, width = scene.shape[:2]
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    fall = (x * np.cos(angle) + y * np.sin(angle)).astype(np.float32)
    light = rng.uniform(0.75, 1.2) * (1 + rng.uniform(0, 0.25) * fall)
    if rng.random() < 0.3:
        light = light * (1 - rng.uniform(0.2, 0.5) * smoothstep(fall, rng.uniform(-0.5, 0.5), 0.6))
    tint = rng.uniform(0.9, 1.1, 3).astype(np.float32)
    return scene * light[..., None].astype(np.float32) * tint


def _take_photo(rng: np.random.Generator, scene: Array) -> bytes:
    """Applies what the camera adds: sensor noise, defocus, JPEG compression."""
    grains = rng.standard_normal(scene.shape, np.float32) * np.float32(rng.uniform(0.004, 0.025))
    scene = _blur(np.clip(scene + grains, 0, 1), float(rng.choice([0, 0, 0.6])))
    content = io.BytesIO()
    photo = Image.fromarray((np.clip(scene, 0, 1) * 255 + 0.5).astype(np.uint8))
    photo.save(content, "JPEG", quality=int(rng.integers(78, 96)))
    return content.getvalue()


def _blur(image: Array, radius: float) -> Array:
    if radius == 0:
        return image
    bytes_ = Image.fromarray((np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8))
    return np.asarray(bytes_.filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255

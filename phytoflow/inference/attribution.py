"""Where in a photo the answer comes from. Needs no torch: a predictor can explain, too."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phytoflow.inference.classifier import Classifier

_GRID = 8
_BATCH = 8
_HOT = np.array([200, 30, 20], np.float32)
_MOST = 0.65  # share of the colour where the evidence is strongest


def explain(classifier: Classifier, tensor: NDArray[np.float32], label: int) -> NDArray[np.float32]:
    """What speaks for a class, place by place.

    Where the model gives evidence (a linear or dense head on averaged maps), this is Grad-CAM (Selvaraju et
    al. 2017), for a linear head the class activation map (Zhou et al. 2016). Otherwise, for transformers
    among others, the photo is covered place by place and the drop of the class's log-probability taken
    (Zeiler & Fergus 2014, occlusion): sixty-four answers more.

    Args:
        classifier: The opened bundle.
        tensor: One photo, normalised, float32 [3, size, size].
        label: Number of the class.

    Returns:
        float32 [size, size], from 0 to 1; all 0 where nothing speaks for it.
    """
    evidence = classifier.outputs(tensor[None]).evidence
    coarse = _occluded(classifier, tensor, label) if evidence is None else evidence[0, label]
    return scaled(coarse, tensor.shape[-1])


def blend(pixels: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draws a heat map in red over a half-greyed photo.

    Args:
        pixels: uint8 [size, size, 3].
        heat: float32 [size, size], 0 to 1.

    Returns:
        uint8 [size, size, 3].
    """
    grey = pixels.astype(np.float32).mean(axis=2, keepdims=True) * 0.5 + pixels * 0.5
    share = (_MOST * heat)[:, :, None]
    blended: NDArray[np.uint8] = (grey * (1 - share) + _HOT * share).astype(np.uint8)
    return blended


def overlay(pixels: NDArray[np.uint8], heat: NDArray[np.float32]) -> bytes:
    """Encodes what ``blend`` draws as a JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(blend(pixels, heat)).save(buffer, "JPEG", quality=82)
    return buffer.getvalue()


def _occluded(classifier: Classifier, tensor: NDArray[np.float32], label: int) -> NDArray[np.float32]:
    """Drop of the log-probability for each place covered with the photo's mean, float32 [grid, grid]."""
    size = tensor.shape[-1]
    edges = np.linspace(0, size, _GRID + 1).round().astype(int)
    mean = tensor.mean(axis=(1, 2))[:, None, None]
    covered = np.repeat(tensor[None], _GRID**2, axis=0)
    for place in range(_GRID**2):
        y, x = divmod(place, _GRID)
        covered[place, :, edges[y] : edges[y + 1], edges[x] : edges[x + 1]] = mean
    batches = [tensor[None], *(covered[i : i + _BATCH] for i in range(0, len(covered), _BATCH))]
    given = np.concatenate([classifier.run(np.ascontiguousarray(b)).probabilities[:, label] for b in batches])
    logs = np.log(np.maximum(given, 1e-7))
    return (logs[0] - logs[1:]).reshape(_GRID, _GRID)


def scaled(coarse: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Positive evidence, [h, w] to [size, size], smoothly enlarged, at most 1."""
    positive = np.maximum(coarse, 0).astype(np.float32)
    top = float(positive.max())
    if top <= 0:
        return np.zeros((size, size), np.float32)
    large = Image.fromarray(positive / top).resize((size, size), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(large, np.float32), 0, 1)

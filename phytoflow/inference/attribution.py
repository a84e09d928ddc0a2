"""Attribution: which places of a photo a prediction comes from. Needs no torch: a predictor has it too."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phytoflow.inference.classifier import Classifier

_GRID = 8  # places of the occlusion in each direction
_BATCH = 8
_HOT = np.array([200, 30, 20], np.float32)  # colour of the strongest evidence
_OPACITY = 0.65  # of that colour where the evidence is strongest: the photo stays visible
_JPEG_QUALITY = 82


def explain(classifier: Classifier, tensor: NDArray[np.float32], label: int) -> NDArray[np.float32]:
    """Heat map of the evidence for a class.

    If the model gives evidence (a linear or dense head on averaged maps) this is Grad-CAM (Selvaraju et al.
    2017), for a linear head the class activation map (Zhou et al. 2016). Otherwise, e.g. for transformers,
    each place of the photo is covered in turn and the drop of the class's log-probability taken (occlusion,
    Zeiler & Fergus 2014), which needs 65 predictions.

    Args:
        classifier: The opened bundle.
        tensor: One normalised photo, float32 [3, size, size].
        label: Number of the class.

    Returns:
        float32 [size, size], 0 to 1; 0 everywhere if nothing supports the class.
    """
    evidence = classifier.outputs(tensor[None]).evidence
    coarse = _occlusion(classifier, tensor, label) if evidence is None else evidence[0, label]
    return enlarge(coarse, tensor.shape[-1])


def blend(pixels: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draws a heat map in red over a half-greyed photo.

    Args:
        pixels: uint8 [size, size, 3].
        heat: float32 [size, size], 0 to 1.

    Returns:
        uint8 [size, size, 3].
    """
    grey = pixels.astype(np.float32).mean(axis=2, keepdims=True) * 0.5 + pixels * 0.5
    opacity = (_OPACITY * heat)[:, :, None]
    blended: NDArray[np.uint8] = (grey * (1 - opacity) + _HOT * opacity).astype(np.uint8)
    return blended


def overlay(pixels: NDArray[np.uint8], heat: NDArray[np.float32]) -> bytes:
    """Encodes what ``blend`` draws as a JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(blend(pixels, heat)).save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def _occlusion(classifier: Classifier, tensor: NDArray[np.float32], label: int) -> NDArray[np.float32]:
    """Drop of the log-probability for each place that is covered with the photo's mean, float32 [8, 8]."""
    size = tensor.shape[-1]
    edges = np.linspace(0, size, _GRID + 1).round().astype(int)
    mean = tensor.mean(axis=(1, 2))[:, None, None]
    covered = np.repeat(tensor[None], _GRID**2, axis=0)
    for place in range(_GRID**2):
        y, x = divmod(place, _GRID)
        covered[place, :, edges[y] : edges[y + 1], edges[x] : edges[x + 1]] = mean
    batches = [tensor[None], *(covered[i : i + _BATCH] for i in range(0, len(covered), _BATCH))]
    parts = [classifier.run(np.ascontiguousarray(batch)).probabilities[:, label] for batch in batches]
    logs = np.log(np.maximum(np.concatenate(parts), 1e-7))
    return (logs[0] - logs[1:]).reshape(_GRID, _GRID)


def enlarge(coarse: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Positive evidence, [h, w] to [size, size], smoothly enlarged and scaled to at most 1."""
    positive = np.maximum(coarse, 0).astype(np.float32)
    top = float(positive.max())
    if top <= 0:
        return np.zeros((size, size), np.float32)
    large = Image.fromarray(positive / top).resize((size, size), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(large, np.float32), 0, 1)

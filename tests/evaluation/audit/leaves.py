"""Leaves photographed several times each, as the audits see them."""

from __future__ import annotations

import numpy as np

from phytoflow.evaluation.audit.embeddings import SIDE, PhotoEmbeddings

CLASSES, LEAVES, SHOTS = 3, 30, 4
COUNT = CLASSES * LEAVES * SHOTS


def photographed_leaves(*, tell: bool = False, seed: int = 0) -> PhotoEmbeddings:
    """Leaves photographed four times each; grouped splits; ``tell``: each class has its own border colour."""
    generator = np.random.default_rng(seed)
    groups = np.repeat(np.arange(CLASSES * LEAVES), SHOTS)
    labels = groups % CLASSES
    kind = generator.normal(size=(CLASSES, 40)) * 0.25
    leaf = kind[np.arange(CLASSES * LEAVES) % CLASSES] + generator.normal(size=(CLASSES * LEAVES, 40))
    embedding = leaf[groups] + generator.normal(size=(COUNT, 40)) * 0.15
    embedding -= embedding.mean(axis=0)
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    small = generator.integers(0, 256, (COUNT, SIDE, SIDE, 3))
    if tell:
        small[:, :3] = small[:, :3] // 4 + labels[:, None, None, None] * 60
    hashes = generator.integers(0, 2**63, CLASSES * LEAVES, dtype=np.uint64)[groups]
    splits = np.array([0, 0, 0, 1, 2])[groups // CLASSES % 5]
    return PhotoEmbeddings(
        embedding.astype(np.float32), small.astype(np.uint8), hashes, labels, groups, splits.astype(np.int64)
    )

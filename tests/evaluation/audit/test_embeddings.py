"""The leak audit finds twins without being told; the background probe warns only where it must."""

from __future__ import annotations

import numpy as np
import pytest

from phytoflow.data.splits import SPLITS
from phytoflow.evaluation.audit.background_bias import probe_background
from phytoflow.evaluation.audit.embeddings import SIDE, Looked
from phytoflow.evaluation.audit.leakage import audit_leaks
from phytoflow.evaluation.report import phrases as words

CLASSES, LEAVES, SHOTS = 3, 30, 4
COUNT = CLASSES * LEAVES * SHOTS


def looked(*, tell: bool = False, seed: int = 0) -> Looked:
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
    return Looked(
        embedding.astype(np.float32), small.astype(np.uint8), hashes, labels, groups, splits.astype(np.int64)
    )


def test_twins_show_under_a_random_split_and_not_under_ours() -> None:
    audit = audit_leaks(looked(), seed=0)
    assert audit is not None
    assert audit.random.near > 0.8
    assert audit.ours.near < 0.2
    assert audit.random.nearest > 0.4  # about the share of photos that train
    assert audit.ours.nearest < 0.1
    assert audit.random.near_hash > 0.8
    assert audit.ours.near_hash == 0
    assert audit.random.accuracy > audit.ours.accuracy + 0.05
    assert audit.photos == COUNT
    said = words.leaks(audit)
    assert words.percent(audit.random.nearest) in said
    assert words.percent(audit.ours.accuracy) in said


def test_without_test_photos_there_is_nothing_to_audit() -> None:
    photos = looked()
    photos.splits[photos.splits == SPLITS.index("test")] = 0
    assert audit_leaks(photos, seed=0) is None


def test_a_border_that_names_the_class_is_found() -> None:
    probe = probe_background(looked(tell=True), seed=0)
    assert probe is not None
    assert probe.gives_away
    assert probe.border > 0.9
    assert probe.chance == pytest.approx(1 / 3)


def test_a_border_alike_for_all_gives_nothing_away() -> None:
    probe = probe_background(looked(), seed=0)
    assert probe is not None
    assert not probe.gives_away
    assert max(probe.eight_pixels, probe.border, probe.masked) < 0.5


def test_leaves_too_few_to_part_are_not_probed() -> None:
    photos = looked()
    photos.groups[photos.labels == 0] = 0
    assert probe_background(photos, seed=0) is None

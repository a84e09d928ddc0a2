import numpy as np
import pytest

from phytoflow.data.splits import SPLITS
from phytoflow.evaluation.audit.leakage import LeakageAudit, SplitLeakage, audit_leakage
from tests.evaluation.audit.leaves import COUNT, photographed_leaves


def test_twins_are_found_under_a_random_split_and_not_under_the_grouped_one() -> None:
    audit = audit_leakage(photographed_leaves(), seed=0)
    assert audit is not None
    assert audit.random.near > 0.8
    assert audit.ours.near < 0.2
    assert audit.random.nearest > 0.4  # about the share of photos in training
    assert audit.ours.nearest < 0.1
    assert audit.random.near_hash > 0.8
    assert audit.ours.near_hash == 0
    assert audit.random.accuracy > audit.ours.accuracy + 0.05
    assert audit.photos == COUNT
    assert audit.gap == pytest.approx(audit.random.accuracy - audit.ours.accuracy)


def test_a_split_that_separates_twins_leaks() -> None:
    photos = photographed_leaves()
    photos.splits[:] = np.tile([0, 0, 1, 2], COUNT // 4)  # one shot of each leaf is a test photo
    audit = audit_leakage(photos, seed=0)
    assert audit is not None
    assert audit.ours.near > 0.8 and audit.ours.near_hash == 1


def test_without_test_photos_there_is_nothing_to_audit() -> None:
    photos = photographed_leaves()
    photos.splits[photos.splits == SPLITS.index("test")] = 0
    assert audit_leakage(photos, seed=0) is None


def test_the_gap_may_be_negative() -> None:
    random = SplitLeakage(nearest=0.5, near=0, near_hash=0, accuracy=0.375)
    ours = SplitLeakage(nearest=0.5, near=0, near_hash=0, accuracy=0.475)
    assert LeakageAudit(photos=200, random=random, ours=ours).gap == pytest.approx(-0.1)

"""The reference as a file of a bundle."""

from pathlib import Path

import numpy as np
import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import BundleError
from phytoflow.monitoring.reference import Reference, load_reference
from tests.support.drift import CLASSES, draw_reference


def test_a_file_gives_back_the_reference(tmp_path: Path) -> None:
    reference = draw_reference(0, 120, group_size=3)
    reference.save(tmp_path / "r.npz")
    again = Reference.load(tmp_path / "r.npz", CLASSES)
    assert (again.true == reference.true).all()
    assert (again.groups == reference.groups).all()
    np.testing.assert_array_equal(again.observations.confidence, reference.observations.confidence)
    np.testing.assert_allclose(
        again.observations.components, reference.observations.components, rtol=1e-3, atol=1e-3
    )
    assert (tmp_path / "r.npz").stat().st_size < 120 * 200


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "r.npz").write_bytes(b"nothing")
    with pytest.raises(BundleError, match=r"r\.npz holds no drift reference"):
        Reference.load(tmp_path / "r.npz", CLASSES)


def test_an_older_bundle_says_that_it_has_none(bundle: Path) -> None:
    with pytest.raises(BundleError, match="has no drift reference") as error:
        load_reference(Bundle.load(bundle))
    assert "export it again" in error.value.remedy

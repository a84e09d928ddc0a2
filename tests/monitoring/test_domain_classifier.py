"""The domain classifier."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from phytoflow.monitoring import domain_classifier
from phytoflow.monitoring.domain_classifier import separability, served_probability


def test_the_fit_is_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(150, 5))
    target = (rows[:, 0] + generator.normal(size=150) > 0).astype(float)
    weights = domain_classifier._fit(np.column_stack([rows, np.ones(150)]), target, np.ones(150))
    expected = LogisticRegression(C=1.0, tol=1e-8).fit(rows, target)
    np.testing.assert_allclose(weights[:-1], expected.coef_[0], rtol=1e-3)
    assert weights[-1] == pytest.approx(expected.intercept_[0], rel=1e-3)


def test_it_tells_moved_photos_and_cannot_tell_the_same() -> None:
    generator = np.random.default_rng(1)
    reference = generator.normal(size=(300, 20)).astype(np.float32)
    same, moved = generator.normal(size=(2, 200, 20)).astype(np.float32)
    moved[:100, 3] += 4
    assert separability(served_probability(reference, same), 300) == pytest.approx(0.5, abs=0.1)
    probability = served_probability(reference, moved)
    assert separability(probability, 300) > 0.7
    strangest = np.argsort(-probability[300:])[:20]
    assert (strangest < 100).all()

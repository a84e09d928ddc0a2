"""The probe against scikit-learn's logistic regression."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from phytoflow.errors import WeightsError
from phytoflow.training.engine.class_balance import class_weights
from phytoflow.training.strategies.linear_probe import fit_probes


def clouds(count: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = np.repeat([0, 0, 0, 1, 1, 2], count // 6)
    return (random.normal(size=(count, 10)) * 3 + 5 + 2 * labels[:, None]).astype(np.float32), labels


def test_it_is_the_optimum_that_scikit_learn_finds() -> None:
    features, labels = clouds()
    penalty = 0.1
    (probe,) = fit_probes([features], labels, torch.ones(3), [penalty], iterations=500)
    centred = (features - features.mean(0)) / np.sqrt(((features - features.mean(0)) ** 2).mean())
    reference = LogisticRegression(C=1 / (penalty * len(labels)), tol=1e-8, max_iter=5000).fit(
        centred, labels
    )
    ours = torch.softmax(probe.logits(features), 1).numpy()
    assert np.abs(ours - reference.predict_proba(centred)).max() < 2e-3


def test_class_weights_lift_the_rare_class() -> None:
    features, labels = clouds()
    weights = class_weights(labels, 3, "loss")
    assert torch.allclose(weights, torch.tensor([2 / 3, 1.0, 2.0]))
    plain, weighted = (fit_probes([features], labels, w, [1.0])[0] for w in (torch.ones(3), weights))
    mean = [torch.softmax(p.logits(features), 1)[:, 2].mean() for p in (plain, weighted)]
    assert mean[1] > mean[0]


def test_each_penalty_has_its_own_probe_in_the_given_order() -> None:
    features, labels = clouds()
    norms = [
        p.weight.norm() for p in fit_probes([features, features + 0.1], labels, torch.ones(3), [1.0, 0.01])
    ]
    assert norms[0] < norms[1] / 2


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_features_that_are_not_finite_are_refused(value: float) -> None:
    features, labels = clouds()
    features[3, 2] = value
    with pytest.raises(WeightsError, match="half precision"):
        fit_probes([features], labels, torch.ones(3))

"""Photos drawn from a known distribution, as the monitor sees them."""

import numpy as np

from phytoflow.monitoring.observations import Observations
from phytoflow.monitoring.reference import Reference

CLASSES = ("scab", "rot", "rust", "healthy")
SHARES = (0.4, 0.3, 0.2, 0.1)


def draw(
    generator: np.random.Generator,
    count: int,
    *,
    shares: tuple[float, ...] = SHARES,
    moved: float = 0.0,
    features: bool = True,
) -> Observations:
    """Photos whose values are independent and normal; ``moved`` shifts the first component."""
    values = generator.normal(size=(count, 37)).astype(np.float32)
    values[:, 5] += moved
    if not features:
        values[:, 2:] = np.nan
    confidence = 1 / (1 + np.exp(-values[:, 0] - 3))
    return Observations(
        generator.choice(len(CLASSES), count, p=shares),
        confidence,
        0.3 * values[:, 1],
        values[:, 2:5].copy(),
        values[:, 5:].copy(),
    )


def draw_reference(seed: int, count: int, group_size: int = 1) -> Reference:
    """A reference of the same distribution, whose answers are right as often as they claim."""
    generator = np.random.default_rng(seed)
    observations = draw(generator, count)
    right = generator.random(count) < observations.confidence
    true = np.where(right, observations.label, (observations.label + 1) % len(CLASSES))
    return Reference(observations, true, np.arange(count) // group_size, CLASSES)

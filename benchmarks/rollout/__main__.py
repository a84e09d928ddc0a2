"""`python -m benchmarks.rollout`: how often labels of disagreements refuse a challenger, and after how many.

Exact probabilities by dynamic programming over the counts, at every look. A label of a disagreement on which
both models are wrong decides nothing and is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated

import numpy as np
import typer

from phytoflow.rollout.sequential import loses
from phytoflow.rollout.settings import RolloutSettings

_DECIDING = (0.04, 0.06, 0.08, 0.10, 0.15)  # share of photos on which exactly one model is right


def main(
    labels: Annotated[int, typer.Option(min=1, help="Most labels that are given.")] = 200,
    loss: Annotated[
        float, typer.Option(min=0, max=0.04, help="Accuracy that a worse challenger loses.")
    ] = 0.03,
) -> None:
    """Prints the table."""
    crossed = refusals(labels, RolloutSettings().alpha)
    print("\n".join(table(labels, loss, crossed)))


def refusals(labels: int, alpha: float) -> list[np.ndarray]:
    """For each number of labels and of wins among them, whether the challenger is refused."""
    return [
        np.array([loses(wins, trials - wins) >= -math.log(alpha) for wins in range(trials + 1)])
        for trials in range(1, labels + 1)
    ]


def refused_by(wins: float, crossed: list[np.ndarray]) -> np.ndarray:
    """Probability of a refusal by each number of labels, given that of winning a disagreement."""
    alive, total, found = np.array([1.0]), 0.0, []
    for gone in crossed:
        alive = np.append(alive * (1 - wins), 0.0) + np.append(0.0, alive * wins)
        total += float(alive[gone].sum())
        alive[gone] = 0.0
        found.append(total)
    return np.array(found)


def table(labels: int, loss: float, crossed: list[np.ndarray]) -> Iterator[str]:
    """Power and size as a Markdown table."""
    refused = f"{loss:.0%} less accurate: refused within {labels}"
    yield f"| exactly one right on | {refused} | median labels | equal: refused |"
    yield "|---|---|---|---|"
    equal = refused_by(0.5, crossed)[-1]
    for share in _DECIDING:
        worse = refused_by((share - loss) / (2 * share), crossed)
        half = int(np.searchsorted(worse, 0.5)) + 1
        median = str(half) if half <= labels else f"> {labels}"
        yield f"| {share:.0%} of photos | {worse[-1]:.1%} | {median} | {equal:.1%} |"


if __name__ == "__main__":
    typer.run(main)

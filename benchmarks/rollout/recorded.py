"""`python -m benchmarks.rollout.recorded CHAMPION CHALLENGER DATASET`: power from answers of two real models.

Both bundles answer the held-out photos of a dataset once. Streams of photos are drawn from these answers,
with weights on the photos on which exactly one model is right, so that the challenger is just ``loss`` worse,
or equal. Each disagreement gets its true label, and the rollout's rule looks after every label.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy.stats import binom, binomtest

from benchmarks.rollout.__main__ import refusals
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.shards.dataset import Dataset
from phytoflow.errors import ConfigError
from phytoflow.inference.classifier import Classifier
from phytoflow.rollout.settings import RolloutSettings

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Answers:
    """What two models made of the same photos.

    Attributes:
        champion: Whether the champion is right, by photo.
        challenger: Whether the challenger is.
        differ: Whether they name different classes.
    """

    champion: Flags
    challenger: Flags
    differ: Flags

    @property
    def deciding(self) -> float:
        """Share of photos on which exactly one is right."""
        return float((self.champion != self.challenger).mean())

    def weights(self, loss: float) -> NDArray[np.float64]:
        """Probability of each photo, so that the challenger loses so much accuracy.

        Raises:
            ConfigError: Exactly one is right on too few photos, or only ever the same one.
        """
        wins, losses = self.challenger & ~self.champion, self.champion & ~self.challenger
        if self.deciding <= loss or not wins.any() or not losses.any():
            what = f"exactly one model is right on {self.deciding:.1%} of the photos, mostly the same one"
            raise ConfigError(what, remedy="choose a challenger that differs more, or --blur")
        weights = np.full(len(wins), 1 / len(wins))
        weights[wins] = (self.deciding - loss) / 2 / wins.sum()
        weights[losses] = (self.deciding + loss) / 2 / losses.sum()
        return weights


def main(
    champion: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    challenger: Annotated[Path, typer.Argument(help="Folder of a weaker bundle with the same classes.")],
    dataset: Annotated[Path, typer.Argument(help="Folder of the dataset that both were trained with.")],
    labels: Annotated[int, typer.Option(min=1, help="Most labels that are given.")] = 200,
    loss: Annotated[float, typer.Option(min=0, help="Accuracy that a worse challenger loses.")] = 0.03,
    streams: Annotated[int, typer.Option(min=1, help="Simulated rollouts.")] = 200,
    blur: Annotated[float, typer.Option(min=0, help="Blur of the photos: standard deviation, pixels.")] = 0.0,
) -> None:
    """Prints the table."""
    print(table(record(champion, challenger, dataset, blur), labels, loss, streams))


def held_out(dataset: Path) -> list[LabelledPhoto]:
    """The photos of a dataset that no model was trained with."""
    return [photo for split in ("validation", "test") for photo in Dataset.open(dataset).photos(split)]


def record(champion: Path, challenger: Path, dataset: Path, blur: float) -> Answers:
    """Answers of two bundles to the validation and test photos of a dataset, blurred as by a worse camera."""
    photos = held_out(dataset)
    contents, true = [_blur(photo.content, blur) for photo in photos], np.array([p.label for p in photos])
    named = []
    for bundle in (champion, challenger):
        predictions = Classifier.load(bundle, "onnx").predict(contents)
        named.append(np.array(predictions.classes)[predictions.probabilities.argmax(axis=1)])
    return Answers(named[0] == true, named[1] == true, named[0] != named[1])


def _blur(content: bytes, sigma: float) -> bytes:
    if not sigma:
        return content
    buffer = io.BytesIO()
    photo = Image.open(io.BytesIO(content)).convert("RGB")
    photo.filter(ImageFilter.GaussianBlur(sigma)).save(buffer, "PNG")
    return buffer.getvalue()


def refused(answers: Answers, weights: NDArray[np.float64], labels: int, streams: int) -> list[int]:
    """For each stream whether, and after how many labels, the challenger is refused; 0 if it is not."""
    crossed = refusals(labels, RolloutSettings().alpha)
    rows = np.flatnonzero(answers.differ)
    chosen = weights[rows] / weights[rows].sum()
    draws = np.random.default_rng(0).choice(rows, (streams, labels), p=chosen)
    return [_first(answers, draw, crossed) for draw in draws]


def _first(answers: Answers, draw: NDArray[np.int64], crossed: list[Flags]) -> int:
    deciding = answers.champion[draw] != answers.challenger[draw]  # on the others both are wrong
    wins, trials = (answers.challenger[draw] & deciding).cumsum(), deciding.cumsum()
    for number, (won, trial) in enumerate(zip(wins, trials, strict=True), 1):
        if trial and crossed[trial - 1][won]:
            return number
    return 0


def best_fixed(answers: Answers, labels: int, loss: float) -> float:
    """Power of the most powerful test that looks once, after all labels (one-sided binomial)."""
    alpha, share = RolloutSettings().alpha, (answers.deciding - loss) / (2 * answers.deciding)
    decide = (answers.champion != answers.challenger)[answers.differ].mean()
    trials = np.arange(labels + 1)
    limits = binom.ppf(alpha, trials, 0.5)
    limits = np.where(binom.cdf(limits, trials, 0.5) > alpha, limits - 1, limits)
    return float((binom.pmf(trials, labels, decide) * binom.cdf(limits, trials, share)).sum())


def table(answers: Answers, labels: int, loss: float, streams: int) -> str:
    """The figures as a Markdown table."""
    worse = refused(answers, answers.weights(loss), labels, streams)
    equal = refused(answers, answers.weights(0.0), labels, streams)
    needed = sorted(number or labels + 1 for number in worse)[streams // 2]
    head = (
        "| photos | champion right | challenger right | other class on | exactly one right on "
        f"| {loss:.0%} less accurate: refused within {labels} | median labels | best fixed test at {labels} "
        "| equal: refused |"
    )
    cells = [
        f"{len(answers.champion):,}",
        *(f"{flags.mean():.1%}" for flags in (answers.champion, answers.challenger, answers.differ)),
        f"{answers.deciding:.1%}",
        _rate(worse),
        str(needed) if needed <= labels else f"> {labels}",
        f"{best_fixed(answers, labels, loss):.1%}",
        _rate(equal),
    ]
    return f"{head}\n|{'---|' * len(cells)}\n| {' | '.join(cells)} |"


def _rate(stopped: list[int]) -> str:
    """Share of refusals with Wilson's 95% interval."""
    result = binomtest(sum(number > 0 for number in stopped), len(stopped))
    interval = result.proportion_ci(method="wilson")
    return f"{result.statistic:.1%} ({interval.low:.1%} to {interval.high:.1%})"


if __name__ == "__main__":
    typer.run(main)

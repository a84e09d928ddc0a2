"""Everything that observes the test photos while they stream by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.evaluation.predictions.sampling import LatencySample, ReservoirSample
from phytoflow.evaluation.report.examples import ExampleCollector
from phytoflow.evaluation.settings import EvaluationSettings


@dataclass(frozen=True)
class TestPhotoSamples:
    """Bounded samples of the test photos.

    Attributes:
        examples: Photos that the report shows.
        timed: Photos on which the latency is measured.
        corrupted: Photos of the robustness benchmark; none without ``evaluation.extended``.
        compared: Photos on which inference variants are compared; none without ``evaluation.extended``.
    """

    __test__ = False  # pytest: not a test

    examples: ExampleCollector
    timed: LatencySample
    corrupted: ReservoirSample
    compared: ReservoirSample

    @classmethod
    def create(cls, classes: tuple[str, ...], settings: EvaluationSettings, seed: int) -> TestPhotoSamples:
        """Empty samples of the sizes that the settings ask for.

        Args:
            classes: Class names in the order of the probabilities.
            settings: Sizes of the samples.
            seed: Seed of the samples.
        """
        return cls(
            examples=ExampleCollector(classes),
            timed=LatencySample(settings.latency_photos),
            corrupted=ReservoirSample(settings.robustness_photos if settings.extended else 0, seed),
            compared=ReservoirSample(settings.variant_photos if settings.extended else 0, seed),
        )

    def observe(self, photo: LabelledPhoto, probabilities: NDArray[np.float64]) -> None:
        """Takes note of one photo and its probabilities, float64 [C]."""
        self.examples.observe(photo, probabilities)
        self.timed.observe(photo.content)
        self.corrupted.observe(photo)
        self.compared.observe(photo)

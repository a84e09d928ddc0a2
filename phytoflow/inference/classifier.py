"""Bytes to probabilities: decode, preprocess, run, calibrate. Knows no protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.bundle import Bundle
from phytoflow.data.images.limits import Limits
from phytoflow.errors import PhotoError
from phytoflow.inference.predictions import Predictions
from phytoflow.inference.runtimes.base import Outputs, Precision, Runtime, RuntimeName
from phytoflow.inference.selection.select import RuntimeChoice, select_runtime
from phytoflow.ood.detector import OodDetector
from phytoflow.system.cpu import cpu_count

BATCH_SIZE = 8


class Classifier:
    """A bundle ready to answer.

    Attributes:
        bundle: The bundle.
        choice: The runtime taken and why.
        classes: Class names.
    """

    def __init__(self, bundle: Bundle, runtime: Runtime, choice: RuntimeChoice, threads: int) -> None:
        self.bundle = bundle
        self.choice = choice
        self.classes = bundle.manifest.classes
        self._runtime = runtime
        self._threads = threads
        self._detector = OodDetector.from_bundle(bundle)

    @classmethod
    def load(
        cls,
        bundle: Path | str,
        runtime: RuntimeName | Literal["auto"] = "auto",
        threads: int | None = None,
        *,
        concurrency: int = 1,
        precision: Precision | Literal["auto"] = "float32",
    ) -> Classifier:
        """Opens a bundle and checks it against its own probe photos on this machine.

        Args:
            bundle: The bundle's folder.
            runtime: ``auto`` takes the fastest that agrees with the probes.
            threads: CPU threads of one call; None: as many as there are CPUs.
            concurrency: Number of concurrent calls of ``run`` to prepare for.
            precision: Of the arithmetic; ``auto`` takes bf16 where it is faster and agrees with the probes.

        Raises:
            BundleError: The bundle is damaged or cannot be loaded.
            ParityError: It does not give its probe photos their recorded answers here.
            ServingError: The runtime or the CPU does not have the precision.
        """
        opened = Bundle.load(bundle)
        threads = threads or cpu_count()
        asked = None if runtime == "auto" else runtime
        chosen, choice = select_runtime(
            opened, asked, threads=threads, concurrency=concurrency, precision=precision
        )
        return cls(opened, chosen, choice, threads)

    def predict(self, contents: Sequence[bytes], limits: Limits = Limits()) -> Predictions:  # noqa: B008 (frozen)
        """Classifies encoded photos.

        Args:
            contents: Encoded photos' bytes; memory is bounded by them, not by pixels.
            limits: What each may cost.

        Raises:
            PhotoError: A photo cannot be used; the message says which, counted from 0.
        """
        rows = []
        with ThreadPoolExecutor(self._threads, "decode") as pool:
            for start in range(0, len(contents), BATCH_SIZE):
                batch = contents[start : start + BATCH_SIZE]
                jobs = [
                    pool.submit(self._pixels, start + i, content, limits) for i, content in enumerate(batch)
                ]
                pixels = np.stack([job.result() for job in jobs])
                rows.append(self.run(self.bundle.manifest.preprocessing.normalise(pixels)))
        return Predictions.joined(rows, self.classes)

    def predict_tensor(self, tensor: NDArray[np.float32]) -> Predictions:
        """Classifies photos already preprocessed: float32 [N, 3, size, size]."""
        batches = (np.ascontiguousarray(batch, np.float32) for batch in _batches(tensor))
        return Predictions.joined([self.run(batch) for batch in batches], self.classes)

    def run(self, tensor: NDArray[np.float32], *, exclusive: bool = False) -> Predictions:
        """One call of the runtime.

        Args:
            tensor: Photos already normalised, contiguous float32 [N, 3, size, size].
            exclusive: Whether no other call is running, so that this one may use every CPU thread.
        """
        return self.answered(self.outputs(tensor, exclusive=exclusive))

    def outputs(self, tensor: NDArray[np.float32], *, exclusive: bool = False) -> Outputs:
        """What the model itself gives: logits, features, evidence; see ``run``."""
        return self._runtime.run(tensor, exclusive=exclusive)

    def answered(self, outputs: Outputs) -> Predictions:
        """Probabilities at the bundle's temperature, and how strange each photo is."""
        probabilities = outputs.calibrated(self.bundle.manifest.temperature)
        return Predictions(probabilities, self.classes, self._novelty(outputs))

    @property
    def detects_ood(self) -> bool:
        """Whether answers say how strange a photo is."""
        return self._detector is not None

    def _novelty(self, outputs: Outputs) -> NDArray[np.float32] | None:
        if outputs.novelty is not None:
            return outputs.novelty
        if self._detector is None or outputs.features is None:
            return None
        return self._detector.novelty(outputs.logits, outputs.features)

    def _pixels(self, index: int, content: bytes, limits: Limits) -> NDArray[np.uint8]:
        try:
            return self.bundle.manifest.preprocessing.decode(content, limits)
        except PhotoError as error:
            what = f"photo {index}: {error.message}"
            raise PhotoError(what, reason=error.reason, remedy=error.remedy) from error


def _batches(tensor: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(tensor), BATCH_SIZE):
        yield tensor[start : start + BATCH_SIZE]

"""A bundle opened for inference: decode, preprocess, run, calibrate. Knows no protocol."""

from __future__ import annotations

import functools
from collections.abc import Sequence
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

BATCH_SIZE = 8  # photos decoded and run at a time: bounds memory, and larger batches are no faster


class Classifier:
    """A bundle that is ready to classify photos.

    Attributes:
        bundle: The bundle.
        choice: The selected runtime, and why.
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
            runtime: ``auto`` selects the fastest that agrees with the probe photos.
            threads: CPU threads of one call; None: one for each CPU.
            concurrency: Number of concurrent calls of ``run`` to prepare for.
            precision: Precision of the arithmetic; ``auto`` selects bf16 or int8 if it is faster and agrees
                with the probe photos.

        Raises:
            BundleError: The bundle is damaged or cannot be loaded.
            ParityError: On this machine it does not give its probe photos the recorded probabilities.
            ServingError: The runtime or the CPU does not support the precision.
        """
        opened = Bundle.load(bundle)
        threads = threads or cpu_count()
        name = None if runtime == "auto" else runtime
        selected, choice = select_runtime(
            opened, name, threads=threads, concurrency=concurrency, precision=precision
        )
        return cls(opened, selected, choice, threads)

    def predict(self, contents: Sequence[bytes], limits: Limits = Limits()) -> Predictions:  # noqa: B008 (frozen)
        """Classifies encoded photos.

        Args:
            contents: Bytes of image files.
            limits: Limits of each photo's size.

        Raises:
            PhotoError: A photo cannot be used; the message gives its position, counted from 0.
        """
        parts = []
        with ThreadPoolExecutor(self._threads, "decode") as pool:
            for start in range(0, len(contents), BATCH_SIZE):
                batch = enumerate(contents[start : start + BATCH_SIZE], start)
                jobs = [pool.submit(self._decode, number, content, limits) for number, content in batch]
                pixels = np.stack([job.result() for job in jobs])
                parts.append(self.run(self.bundle.manifest.preprocessing.normalise(pixels)))
        return Predictions.concatenate(parts, self.classes)

    def predict_tensor(self, tensor: NDArray[np.float32]) -> Predictions:
        """Classifies preprocessed photos, float32 [N, 3, size, size]."""
        starts = range(0, len(tensor), BATCH_SIZE)
        batches = [np.ascontiguousarray(tensor[i : i + BATCH_SIZE], np.float32) for i in starts]
        return Predictions.concatenate([self.run(batch) for batch in batches], self.classes)

    def run(self, tensor: NDArray[np.float32], *, exclusive: bool = False) -> Predictions:
        """Makes one call of the runtime.

        Args:
            tensor: Normalised photos, contiguous float32 [N, 3, size, size].
            exclusive: Whether no other call is running, so that this one may use every CPU thread.
        """
        return self.to_predictions(self.outputs(tensor, exclusive=exclusive))

    def outputs(self, tensor: NDArray[np.float32], *, exclusive: bool = False) -> Outputs:
        """The outputs of the model itself: logits, features, evidence; see ``run``."""
        return self._runtime.run(tensor, exclusive=exclusive)

    def to_predictions(self, outputs: Outputs) -> Predictions:
        """Calibrated probabilities, features and, with OOD detection, the novelty of each photo."""
        probabilities = outputs.calibrated(self.bundle.manifest.temperature)
        return Predictions(probabilities, self.classes, self._novelty(outputs), outputs.features)

    @functools.cached_property
    def feature_count(self) -> int:
        """Number of features of a photo; 0 if the model file does not return any. The first use runs it."""
        side = self.bundle.manifest.preprocessing.size
        features = self.outputs(np.zeros((1, 3, side, side), np.float32)).features
        return 0 if features is None else features.shape[1]

    @property
    def detects_ood(self) -> bool:
        """Whether predictions have a novelty."""
        return self._detector is not None

    def _novelty(self, outputs: Outputs) -> NDArray[np.float32] | None:
        if outputs.novelty is not None:
            return outputs.novelty
        if self._detector is None or outputs.features is None:
            return None
        return self._detector.novelty(outputs.logits, outputs.features)

    def _decode(self, number: int, content: bytes, limits: Limits) -> NDArray[np.uint8]:
        try:
            return self.bundle.manifest.preprocessing.decode(content, limits)
        except PhotoError as error:
            what = f"photo {number}: {error.message}"
            raise PhotoError(what, reason=error.reason, remedy=error.remedy) from error

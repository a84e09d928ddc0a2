"""Photos of known answer, asked of a pod over V2 before it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.bundle import Bundle
from phytoflow.client import rest_codec as v2
from phytoflow.client.parameters import chunk_photos
from phytoflow.deploy.kubernetes.api import Cluster
from phytoflow.errors import DeployError

TOLERANCE = 1e-3
_PORT = 8080
_PHOTOS_A_REQUEST = 4  # small enough for any limit between here and the pod


@dataclass(frozen=True)
class Exam:
    """What a predictor is asked, and what it must answer.

    Attributes:
        version: Of the bundle that must answer.
        photos: Encoded photos.
        probabilities: float32 [photos, classes].
    """

    version: str
    photos: tuple[bytes, ...]
    probabilities: NDArray[np.float32]

    @classmethod
    def of_probes(cls, bundle: Bundle) -> Exam:
        """The bundle's own probe photos with their recorded answers."""
        recorded = [probe.probabilities for probe in bundle.manifest.probes]
        photos = tuple(bundle.probe_contents())
        return cls(bundle.manifest.version, photos, np.array(recorded, np.float32))

    def extended(self, photos: Sequence[bytes], probabilities: NDArray[np.float32]) -> Exam:
        """With further photos and the answers they had offline."""
        every = np.concatenate([self.probabilities, probabilities])
        return Exam(self.version, (*self.photos, *photos), every)


def examine(cluster: Cluster, pod: str, model: str, exam: Exam) -> float:
    """Asks one pod.

    Args:
        cluster: Reaches the pod through its API server.
        pod: Its name.
        model: Name of the served model.
        exam: What is asked.

    Returns:
        Largest difference of a probability.

    Raises:
        DeployError: It refuses, answers otherwise, or is of another version.
    """
    answers = []
    for photos in chunk_photos(exam.photos, _PHOTOS_A_REQUEST):
        body, headers = v2.encode(photos, None)
        answers += v2.decode(cluster.ask(pod, _PORT, f"/v2/models/{model}/infer", body, headers))
    versions = {answer.model_version for answer in answers}
    if versions != {exam.version}:
        what = f"{pod} serves version {', '.join(sorted(versions))}, not {exam.version}"
        remedy = "the bundle at this URI was replaced meanwhile: give every bundle a URI of its own"
        raise DeployError(what, reason="smoke", remedy=remedy)
    served = np.array([answer.probabilities for answer in answers], np.float32)
    same = served.shape == exam.probabilities.shape
    difference = float(np.abs(served - exam.probabilities).max()) if same else float("inf")
    if not difference <= TOLERANCE:
        what = f"{pod} answers the probe photos otherwise than recorded: off by {difference:.2g}"
        remedy = "export the bundle again; if it persists, set serving.runtime=onnx on the ServingRuntime"
        raise DeployError(f"{what}, more than {TOLERANCE:g}", reason="smoke", remedy=remedy)
    return difference

"""Smoke test: a pod must answer photos with known probabilities over V2 before it takes traffic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.bundle import Bundle
from phytoflow.client import rest_codec as v2
from phytoflow.client.parameters import chunk_photos
from phytoflow.deploy.kubernetes.api import Cluster
from phytoflow.errors import DeployError
from phytoflow.inference.runtimes.base import Precision
from phytoflow.inference.tolerance import TOLERANCES, allowed_difference

_PORT = 8080
_PHOTOS_PER_REQUEST = 4  # keeps a request below the body limits of proxies between here and the pod


@dataclass(frozen=True)
class SmokeTest:
    """Photos and the answers that a predictor must give.

    Attributes:
        version: Bundle version that must answer.
        photos: Encoded photos.
        probabilities: Expected answers, float32 [photos, classes].
        tolerance: Largest absolute difference of a probability that passes.
    """

    version: str
    photos: tuple[bytes, ...]
    probabilities: NDArray[np.float32]
    tolerance: float = TOLERANCES["float32"]

    @classmethod
    def from_probes(cls, bundle: Bundle, arguments: Sequence[str] = ()) -> SmokeTest:
        """Uses the bundle's probe photos with their recorded probabilities.

        Args:
            bundle: The bundle.
            arguments: The predictor's; the precision among them determines the tolerance.
        """
        recorded = [probe.probabilities for probe in bundle.manifest.probes]
        photos = tuple(bundle.probe_contents())
        allowed = allowed_difference(bundle.manifest, _precision(arguments))
        return cls(bundle.manifest.version, photos, np.array(recorded, np.float32), allowed)

    def extended(self, photos: Sequence[bytes], probabilities: NDArray[np.float32]) -> SmokeTest:
        """Returns a test that has further photos with their offline probabilities."""
        combined = np.concatenate([self.probabilities, probabilities])
        return SmokeTest(self.version, (*self.photos, *photos), combined, self.tolerance)


def run_smoke_test(cluster: Cluster, pod: str, model: str, test: SmokeTest) -> float:
    """Runs the test on one pod.

    Args:
        cluster: Reaches the pod through its API server.
        pod: Pod name.
        model: Name of the served model.
        test: Photos and expected answers.

    Returns:
        Largest absolute difference of a probability.

    Raises:
        DeployError: The pod refuses, answers differently, or serves another version (reason ``smoke``).
    """
    predictions = []
    for photos in chunk_photos(test.photos, _PHOTOS_PER_REQUEST):
        body, headers = v2.encode(photos, None)
        content = cluster.post_to_pod(pod, _PORT, f"/v2/models/{model}/infer", body, headers)
        predictions += v2.decode(content)
    _check_version(pod, {prediction.model_version for prediction in predictions}, test.version)
    served = np.array([prediction.probabilities for prediction in predictions], np.float32)
    return _compare(pod, served, test)


def _check_version(pod: str, versions: set[str], expected: str) -> None:
    if versions != {expected}:
        what = f"{pod} serves version {', '.join(sorted(versions))}, not {expected}"
        remedy = "the bundle at this URI was replaced meanwhile: give every bundle a URI of its own"
        raise DeployError(what, reason="smoke", remedy=remedy)


def _precision(arguments: Sequence[str]) -> Precision | Literal["auto"]:
    """The precision that a predictor with these arguments serves in."""
    words = [word for argument in arguments for word in argument.split("=", 1)]
    given = [after for option, after in pairwise(words) if option == "--precision"]
    return cast('Precision | Literal["auto"]', given[-1]) if given else "float32"


def _compare(pod: str, served: NDArray[np.float32], test: SmokeTest) -> float:
    same_shape = served.shape == test.probabilities.shape
    difference = float(np.abs(served - test.probabilities).max()) if same_shape else float("inf")
    if not difference <= test.tolerance:  # also true for NaN
        what = f"{pod} answers the probe photos otherwise than recorded: off by {difference:.2g}"
        remedy = "export the bundle again; if it persists, set serving.runtime=onnx on the ServingRuntime"
        raise DeployError(f"{what}, more than {test.tolerance:g}", reason="smoke", remedy=remedy)
    return difference

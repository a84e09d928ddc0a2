"""One predictor on the cluster: answers, metrics, memory, image size and restart."""

import json
from collections.abc import Iterator

import numpy as np
import pytest

from phytoflow.client import Client
from phytoflow.client.grpc_client import GrpcClient
from phytoflow.inference.classifier import Classifier
from tests.e2e.cluster import forwarded, get, kubectl, pods, prometheus, ready, wait_until
from tests.e2e.conftest import Versions
from tests.e2e.names import own_name
from tests.support.make_bundle import pictures

NAME = own_name("served")
PHOTOS = [photo.content for photo in pictures(6)]


@pytest.fixture(scope="module", autouse=True)
def served(versions: Versions) -> Iterator[Versions]:
    versions.deploy(NAME)
    yield versions
    kubectl("delete", "inferenceservice", NAME)


def test_rest_and_grpc_answer_as_offline(served: Versions) -> None:
    offline = Classifier.load(served.folders[0], "onnx").predict(PHOTOS).probabilities
    with (
        forwarded(f"service/{NAME}-predictor", 80) as port,
        Client(f"http://127.0.0.1:{port}", NAME) as client,
    ):
        rest = [answer.probabilities for answer in client.predict(PHOTOS)]
    np.testing.assert_allclose(rest, offline, atol=1e-4)
    with (
        forwarded(f"service/{NAME}-predictor", 8081) as port,
        GrpcClient(f"127.0.0.1:{port}", NAME) as client,
    ):
        grpc = [answer.probabilities for answer in client.predict(PHOTOS)]
    np.testing.assert_allclose(grpc, offline, atol=1e-4)


def test_kubectl_shows_it_ready() -> None:
    lines = kubectl("get", "inferenceservices", NAME).splitlines()
    assert "READY" in lines[0] and "True" in lines[1].split()


def test_prometheus_has_its_series() -> None:
    def count(metric: str) -> int:
        return len(prometheus("query", query=f'{metric}{{inferenceservice="{NAME}"}}')["result"])

    metrics = ("predictions_total", "prediction_duration_seconds_count", "active_prediction_requests")
    for metric in (*metrics, "prediction_queue_depth", "model_metadata_info"):
        wait_until(lambda metric=metric: count(metric) > 0, 60, f"series {metric}")
    wait_until(lambda: count("phytoflow:replicas_ready:count") == 1, 60, "the recorded series")
    ready_series = prometheus("query", query=f'phytoflow:replicas_ready:count{{inferenceservice="{NAME}"}}')
    assert float(ready_series["result"][0]["value"][1]) == 1


def test_the_pod_is_small_at_rest() -> None:
    pod = pods(NAME)[0]
    words = ["exec", pod["metadata"]["name"], "-c", "kserve-container", "--", "cat", "/proc/1/status"]
    status = dict(line.split(":", 1) for line in kubectl(*words).splitlines() if ":" in line)
    assert int(status["VmRSS"].split()[0]) / 1024 < 400


def test_the_image_is_small() -> None:
    tag = pods(NAME)[0]["spec"]["containers"][0]["image"]
    images = [image for node in get("nodes")["items"] for image in node["status"]["images"]]
    sizes = [image["sizeBytes"] for image in images if tag in (image.get("names") or [])]
    if not sizes:
        pytest.skip(f"the node does not say how large {tag} is (it lists its largest 50 images)")
    assert sizes[0] < 700e6


def test_a_restarted_pod_is_ready_within_ten_seconds() -> None:
    kubectl("delete", "pod", pods(NAME)[0]["metadata"]["name"], "--wait=false")
    wait_until(lambda: any(ready(pod) for pod in pods(NAME)), 60, "a ready pod")
    (pod,) = pods(NAME)
    started = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
    became = next(c for c in pod["status"]["conditions"] if c["type"] == "Ready")["lastTransitionTime"]
    assert (np.datetime64(became[:-1]) - np.datetime64(started[:-1])).astype(int) < 10, json.dumps(
        pod["status"]
    )

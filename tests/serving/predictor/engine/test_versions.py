"""Versions loaded, swapped and unloaded while the predictor runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import numpy as np
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as stubs

from phytoflow.bundle.bundle import Bundle
from phytoflow.client.rest_client import Client
from phytoflow.inference.classifier import Classifier
from tests.support.make_bundle import make_bundle, pictures
from tests.support.services.servers import Server, start

CONTENTS = [photo.content for photo in pictures(4)]


@pytest.fixture(scope="module")
def root(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle root with two good versions and three that must not be served."""
    folder = tmp_path_factory.mktemp("root") / "bundles"
    shutil.copytree(bundle, folder / "leaf" / "1")
    make_bundle(folder / "leaf" / "2", ("onnx",), seed=1)
    shutil.copytree(bundle, folder / "broken")
    (folder / "broken" / "model.onnx").write_bytes(b"no model")
    shutil.copytree(bundle, folder / "other-answers")
    _alter_probes(folder / "other-answers" / "bundle.json")
    (folder / "empty").mkdir()
    shutil.copytree(bundle, folder.parent / "outside")
    (folder / "link").symlink_to(folder.parent / "outside")
    return folder


def _alter_probes(manifest: Path) -> None:
    fields = json.loads(manifest.read_text())
    first = fields["probes"][0]["probabilities"]
    first[0], first[1] = first[0] + 0.01, first[1] - 0.01
    manifest.write_text(json.dumps(fields))


@pytest.fixture(scope="module")
def swapping(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start(
        root / "leaf" / "1",
        tmp_path_factory.mktemp("swap") / "log",
        bundle_repository=root,
        model_control_mode="explicit",
        model_name="leaf",
    )
    yield server
    server.process.terminate()
    assert server.process.wait(60) == 0, server.log.read_text()


@pytest.fixture(autouse=True)
def back(swapping: Server) -> Iterator[None]:
    yield
    assert load(swapping).status_code == 200


def load(server: Server, name: str | None = None) -> httpx.Response:
    body = {} if name is None else {"parameters": {"bundle": name}}
    return httpx.post(f"{server.url}/v2/repository/models/leaf/load", json=body, timeout=60)


def check_answers(server: Server, bundle: Path) -> None:
    offline = Classifier.load(bundle, "onnx", 1)
    with Client(server.url) as client:
        answers = client.predict(CONTENTS)
    assert {answer.model_version for answer in answers} == {offline.bundle.manifest.version}
    expected = offline.predict(CONTENTS).probabilities
    np.testing.assert_allclose([answer.probabilities for answer in answers], expected, atol=1e-5)


def test_a_named_version_takes_over_and_the_first_comes_back(swapping: Server, root: Path) -> None:
    check_answers(swapping, root / "leaf" / "1")
    answer = load(swapping, "leaf/2").json()
    assert answer == {"name": "leaf", "load": True, "version": version(root / "leaf" / "2")}
    check_answers(swapping, root / "leaf" / "2")
    assert httpx.get(swapping.model).json()["versions"] == [answer["version"]]
    assert f'version="{answer["version"]}"' in httpx.get(f"{swapping.url}/metrics").text
    assert httpx.get(f"{swapping.model}/versions/{version(root / 'leaf' / '1')}").status_code == 404
    assert httpx.get(f"{swapping.model}/versions/{version(root / 'leaf' / '1')}/ready").status_code == 404
    assert httpx.get(f"{swapping.model}/versions/{answer['version']}/ready").status_code == 200
    assert httpx.get(f"{swapping.model}/ready?model_version=7").json() == {"name": "leaf", "ready": True}
    assert load(swapping).status_code == 200
    check_answers(swapping, root / "leaf" / "1")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("broken", "is not the file its manifest describes"),
        ("other-answers", "recorded probabilities"),
        ("empty", "no bundle at"),
        ("absent", "no folder at"),
        ("link", "leads out of the repository"),
        ("../outside", "named by folders in the repository"),
        ("/etc", "named by folders in the repository"),
        ("leaf//1", "named by folders in the repository"),
        ("a" * 300, "named by folders in the repository"),
    ],
)
def test_a_bad_version_changes_nothing(swapping: Server, root: Path, name: str, why: str) -> None:
    refused = load(swapping, name)
    assert refused.status_code == 422
    assert why in refused.json()["error"]
    check_answers(swapping, root / "leaf" / "1")


@pytest.mark.parametrize("body", [b"[", b"[1]", b'{"parameters": 1}', b'{"parameters": {"bundle": 1}}'])
def test_a_malformed_load_is_refused(swapping: Server, body: bytes) -> None:
    url = f"{swapping.url}/v2/repository/models/leaf/load"
    assert httpx.post(url, content=body).status_code == 400
    assert httpx.post(url, content=b'{"parameters": {"file:model": 1}}').status_code == 400
    assert httpx.post(url, content=b" " * 10_000).status_code == 413
    assert httpx.post(f"{swapping.url}/v2/repository/models/oak/load").status_code == 404


def test_unloaded_it_is_not_ready_and_refuses(swapping: Server, root: Path) -> None:
    unload = f"{swapping.url}/v2/repository/models/leaf/unload"
    assert httpx.post(unload).json() == {"name": "leaf", "unload": True}
    assert httpx.post(unload).status_code == 200  # is so already
    assert httpx.get(f"{swapping.model}/ready").status_code == 503
    assert httpx.get(f"{swapping.url}/v2/health/live").status_code == 200
    asked = httpx.post(f"{swapping.model}/infer", json={"inputs": []})
    assert (asked.status_code, asked.json()["reason"]) == (503, "model_not_loaded")
    assert httpx.get(swapping.model).status_code == 503
    index = httpx.post(f"{swapping.url}/v2/repository/index").json()
    assert index == [{"name": "leaf", "version": "", "state": "UNAVAILABLE", "reason": ""}]
    with grpc.insecure_channel(swapping.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        stubs.GRPCInferenceServiceStub(channel).ModelInfer(pb.ModelInferRequest(model_name="leaf"))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert load(swapping, "leaf/2").status_code == 200
    check_answers(swapping, root / "leaf" / "2")


def test_over_grpc(swapping: Server, root: Path) -> None:
    with grpc.insecure_channel(swapping.grpc) as channel:
        stub = stubs.GRPCInferenceServiceStub(channel)
        assert stub.RepositoryModelUnload(pb.RepositoryModelUnloadRequest(model_name="leaf")).isUnloaded
        assert not stub.ModelReady(pb.ModelReadyRequest(name="leaf")).ready
        assert stub.RepositoryModelLoad(pb.RepositoryModelLoadRequest(model_name="leaf")).isLoaded
        assert stub.ModelReady(pb.ModelReadyRequest(name="leaf")).ready
        with pytest.raises(grpc.RpcError) as caught:
            stub.RepositoryModelLoad(pb.RepositoryModelLoadRequest(model_name="oak"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    check_answers(swapping, root / "leaf" / "1")


def test_where_it_is_not_allowed_nobody_can(bundle: Path, tmp_path: Path) -> None:
    server = start(bundle, tmp_path / "log")
    try:
        for action in ("load", "unload"):
            answer = httpx.post(f"{server.url}/v2/repository/models/leaf/{action}")
            assert (answer.status_code, answer.json()["reason"]) == (403, "not_allowed")
        assert httpx.get(f"{server.model}/ready").status_code == 200
    finally:
        server.process.kill()
        server.process.wait()


def version(bundle: Path) -> str:
    return Bundle.load(bundle).manifest.version

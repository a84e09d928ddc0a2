"""The typed clients against the real predictor: four of them, one answer."""

from __future__ import annotations

import numpy as np
import pytest

from phytoflow.client.grpc_client import AsyncGrpcClient, GrpcClient
from phytoflow.client.prediction import Prediction, RefusedError
from phytoflow.client.rest_client import AsyncClient, Client
from phytoflow.errors import ServingError
from phytoflow.inference.classifier import Classifier
from phytoflow.system.ports import free_port
from tests.support.make_bundle import pictures
from tests.support.services.servers import Server

CONTENTS = [photo.content for photo in pictures(20)]  # more than one request


def check(answers: list[Prediction], offline: Classifier) -> None:
    expected = offline.predict(CONTENTS)
    np.testing.assert_allclose([a.probabilities for a in answers], expected.probabilities, atol=1e-5)
    assert [a.label for a in answers] == expected.labels()
    assert [list(a.labels) for a in answers] == expected.top(2)[0]
    assert {a.model_version for a in answers} == {offline.bundle.manifest.version}


def test_rest(server: Server, offline: Classifier) -> None:
    with Client(server.url) as client:
        assert client.ready()
        assert client.metadata()["parameters"]["classes"] == list(offline.classes)
        check(client.predict(CONTENTS, top_k=2), offline)


async def test_rest_async(server: Server, offline: Classifier) -> None:
    async with AsyncClient(server.url) as client:
        check(await client.predict(CONTENTS, top_k=2), offline)


def test_grpc(server: Server, offline: Classifier) -> None:
    with GrpcClient(server.grpc) as client:
        assert client.metadata() == _same_fields(server)
        check(client.predict(CONTENTS, top_k=2), offline)


def _same_fields(server: Server) -> dict[str, object]:
    """What REST's metadata says, as far as gRPC has fields for it."""
    with Client(server.url) as client:
        found = client.metadata()
    return {key: found[key] for key in ("name", "versions", "parameters")}


async def test_grpc_async(server: Server, offline: Classifier) -> None:
    async with AsyncGrpcClient(server.grpc) as client:
        check(await client.predict(CONTENTS, top_k=2), offline)


def test_a_bad_photo_is_named_by_both(server: Server) -> None:
    photos = [CONTENTS[0], b"no photo"]
    with Client(server.url) as rest, pytest.raises(RefusedError, match="photo 1: not an image"):
        rest.predict(photos)
    with GrpcClient(server.grpc) as rpc, pytest.raises(RefusedError, match="photo 1: not an image"):
        rpc.predict(photos)


def test_another_model_name_is_said(server: Server) -> None:
    with Client(server.url, "oak") as rest, pytest.raises(RefusedError, match="'leaf'"):
        rest.predict(CONTENTS[:1])
    with GrpcClient(server.grpc, "oak") as rpc, pytest.raises(RefusedError):
        rpc.predict(CONTENTS[:1])


def test_grpc_nobody_there() -> None:
    with (
        GrpcClient(f"127.0.0.1:{free_port()}", retries=1) as client,
        pytest.raises(ServingError, match="cannot be reached"),
    ):
        client.predict(CONTENTS[:1])

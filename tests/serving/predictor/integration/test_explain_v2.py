"""V2's parameter ``explain``, over REST and gRPC, against the same bundle without a server."""

from __future__ import annotations

from base64 import b64encode

import httpx
import numpy as np
import pytest
from PIL import Image

from phytoflow.client.grpc_client import AsyncGrpcClient, GrpcClient
from phytoflow.client.prediction import Prediction
from phytoflow.client.rest_client import AsyncClient, Client
from phytoflow.inference.attribution import explain
from phytoflow.inference.classifier import Classifier
from tests.serving.predictor.integration.test_malformed import check, photos
from tests.support.make_bundle import SIDE, pictures
from tests.support.services.servers import Server

CONTENTS = [photo.content for photo in pictures(6)]
ENCODED = b64encode(CONTENTS[0]).decode()


def expected(offline: Classifier, content: bytes, label: str) -> np.ndarray:
    tensor = offline.bundle.manifest.preprocessing(content)
    heat = Image.fromarray(explain(offline, tensor, offline.classes.index(label)))
    return np.asarray(heat.resize((28, 28), Image.Resampling.BOX))


def ask(server: Server, **more: object) -> httpx.Response:
    return httpx.post(f"{server.model}/infer", json=photos([ENCODED]) | more)


async def test_every_client_gets_the_likeliest_class_explained(server: Server, offline: Classifier) -> None:
    with Client(server.url) as rest, GrpcClient(server.grpc) as rpc:
        found: list[list[Prediction]] = [client.explain(CONTENTS) for client in (rest, rpc)]
    async with AsyncClient(server.url) as rest_too, AsyncGrpcClient(server.grpc) as rpc_too:
        found += [await client.explain(CONTENTS) for client in (rest_too, rpc_too)]
    for answers in found:
        assert len(answers) == 6  # in two requests
        for content, answer in zip(CONTENTS, answers, strict=True):
            np.testing.assert_allclose(
                answer.explanation, expected(offline, content, answer.label), atol=1e-4
            )


def test_any_class_can_be_named(server: Server, offline: Classifier) -> None:
    with Client(server.url) as rest, GrpcClient(server.grpc) as rpc:
        for label in offline.classes:
            for client in (rest, rpc):
                (answer,) = client.explain(CONTENTS[:1], label)
                np.testing.assert_allclose(
                    answer.explanation, expected(offline, CONTENTS[0], label), atol=1e-4
                )
        assert rest.predict(CONTENTS[:1])[0].explanation is None


def test_tensors_are_explained_too_and_outputs_can_be_chosen(server: Server, offline: Classifier) -> None:
    tensor = offline.bundle.manifest.preprocessing(CONTENTS[0])
    body = photos(tensor.ravel().tolist(), [1, 3, SIDE, SIDE], "FP32")
    body |= {"parameters": {"explain": True, "class": "rust"}, "outputs": [{"name": "explanation"}]}
    (output,) = httpx.post(f"{server.model}/infer", json=body).json()["outputs"]
    assert (output["datatype"], output["shape"]) == ("FP32", [1, 28, 28])
    found = np.reshape(output["data"], (28, 28))
    np.testing.assert_allclose(found, expected(offline, CONTENTS[0], "rust"), atol=1e-4)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"explain": "yes"}, "explain is not true or false"),
        ({"explain": True, "class": "oak"}, "no class 'oak'"),
        ({"explain": True, "class": 1}, "no class '1'"),
        ({"explain": True, "class": ["rust"]}, "no class"),
        ({"class": "rust"}, "explain is not true"),
    ],
)
def test_what_cannot_be_explained_is_said(server: Server, parameters: object, words: str) -> None:
    check(ask(server, parameters=parameters), 400, words)


def test_limits_hold(server: Server) -> None:
    body = photos([ENCODED] * 5) | {"parameters": {"explain": True}}
    check(httpx.post(f"{server.model}/infer", json=body), 413, "may have 4 explained")
    check(ask(server, outputs=[{"name": "explanation"}]), 400, "no output 'explanation'")
    v1 = {"instances": [ENCODED], "parameters": {"explain": True}}
    check(httpx.post(f"{server.url}/v1/models/leaf:predict", json=v1), 400, "unknown parameter 'explain'")


def test_the_metadata_says_how_to_ask(server: Server) -> None:
    found = httpx.get(server.model).json()["parameters"]
    assert "[-1,28,28]" in found["explain"]
    assert "class" in found

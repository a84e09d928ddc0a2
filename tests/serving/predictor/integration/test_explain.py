"""``POST /v1/models/M:explain`` over REST, against the same bundle without a server."""

from __future__ import annotations

import base64
import io

import httpx
import numpy as np
import pytest
from PIL import Image

from phytoflow.inference.attribution import explain
from phytoflow.inference.classifier import Classifier
from tests.support.make_bundle import pictures
from tests.support.services.servers import Server

PHOTO = pictures(1)[0].content
INSTANCE = {"b64": base64.b64encode(PHOTO).decode()}


def ask(server: Server, body: object) -> httpx.Response:
    return httpx.post(f"{server.url}/v1/models/leaf:explain", json=body, timeout=30)


def test_the_likeliest_class_is_explained(server: Server, offline: Classifier) -> None:
    (found,) = ask(server, {"instances": [INSTANCE]}).json()["explanations"]
    expected = offline.predict([PHOTO])
    label = int(expected.probabilities[0].argmax())
    assert found["label"] == offline.classes[label]
    assert found["score"] == pytest.approx(float(expected.probabilities[0, label]), abs=1e-4)
    tensor = offline.bundle.manifest.preprocessing(PHOTO)
    heat = Image.fromarray(explain(offline, tensor, label)).resize((28, 28), Image.Resampling.BOX)
    np.testing.assert_allclose(found["heat"], np.asarray(heat), atol=1e-3)
    with Image.open(io.BytesIO(base64.b64decode(found["overlay"]))) as picture:
        assert picture.size == (64, 64)


def test_any_class_can_be_asked_for(server: Server, offline: Classifier) -> None:
    heats = []
    for label in offline.classes:
        body = {"instances": [INSTANCE], "parameters": {"label": label}}
        (found,) = ask(server, body).json()["explanations"]
        assert found["label"] == label
        heats.append(found["heat"])
    assert heats[0] != heats[1] != heats[2]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"instances": []}, 400, "no photos"),
        ({"instances": [INSTANCE], "parameters": {"label": "oak"}}, 400, "no class 'oak'"),
        ({"instances": [INSTANCE], "parameters": {"labels": 1}}, 400, "at most a label"),
        ({"instances": [INSTANCE] * 5}, 413, "may have 4"),
        ({"instances": [{"b64": base64.b64encode(PHOTO[:300]).decode()}]}, 422, ""),
        ([], 400, "instances"),
    ],
)
def test_what_cannot_be_explained_is_said(server: Server, body: object, status: int, words: str) -> None:
    answer = ask(server, body)
    assert answer.status_code == status
    assert words in answer.json()["error"]

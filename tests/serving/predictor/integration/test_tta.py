"""The parameter ``tta``: the mean over views of each photo, over every way to ask."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

import httpx
import numpy as np
import pytest
from PIL import Image

from phytoflow.client.grpc_client import AsyncGrpcClient, GrpcClient
from phytoflow.client.prediction import RefusedError
from phytoflow.client.rest_client import AsyncClient, Client
from phytoflow.data.images.decode import decode
from phytoflow.inference.classifier import Classifier
from phytoflow.protocol.constants import VIEWS, Augmentation
from tests.serving.predictor.integration.test_malformed import check, photos
from tests.support.make_bundle import SIDE, pictures
from tests.support.services.servers import Server

CONTENTS = [photo.content for photo in pictures(5)]


def flips(image: Image.Image) -> list[Image.Image]:
    """Drawn by Pillow, not by the code under test."""
    mirrored, turned = Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM
    upside_down = image.transpose(turned)
    return [image, image.transpose(mirrored), upside_down, upside_down.transpose(mirrored)]


def expected_flips(offline: Classifier, contents: Sequence[bytes]) -> np.ndarray:
    prepared = offline.bundle.manifest.preprocessing
    rows = []
    for content in contents:
        square = Image.fromarray(prepared.decode(content))
        tensors = [prepared.normalise(np.asarray(view)) for view in flips(square)]
        rows.append(offline.predict_tensor(np.stack(tensors)).probabilities.mean(axis=0))
    return np.array(rows)


def test_flips_differ_from_the_photo_alone(offline: Classifier) -> None:
    alone = offline.predict(CONTENTS).probabilities
    assert (
        np.abs(alone - expected_flips(offline, CONTENTS)).max() > 0.01
    )  # else the tests would prove nothing


async def test_every_client_gives_the_mean_over_flips(server: Server, offline: Classifier) -> None:
    expected = expected_flips(offline, CONTENTS)
    with Client(server.url) as rest, GrpcClient(server.grpc) as rpc:
        found = [client.predict(CONTENTS, tta="flips") for client in (rest, rpc)]
    async with AsyncClient(server.url) as rest_too, AsyncGrpcClient(server.grpc) as rpc_too:
        found += [await client.predict(CONTENTS, tta="flips") for client in (rest_too, rpc_too)]
    for answers in found:
        np.testing.assert_allclose([a.probabilities for a in answers], expected, atol=1e-5)


def test_crops_are_the_centre_and_the_corners(server: Server, offline: Classifier) -> None:
    prepared = offline.bundle.manifest.preprocessing
    image = decode(CONTENTS[1])
    side = round(min(image.size) * prepared.size / prepared.resize_size)
    right, low = image.width - side, image.height - side
    corners = [image.crop((x, y, x + side, y + side)) for y in (0, low) for x in (0, right)]
    filtered = Image.Resampling[prepared.interpolation.upper()]
    resized = [corner.resize((SIDE, SIDE), filtered) for corner in corners]
    views = [Image.fromarray(prepared.pixels(image)), *resized]
    views += [view.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for view in views]
    tensors = np.stack([prepared.normalise(np.asarray(view)) for view in views])
    expected = offline.predict_tensor(tensors).probabilities.mean(axis=0)
    with Client(server.url) as client:
        (answer,) = client.predict([CONTENTS[1]], tta="crops")
    np.testing.assert_allclose(answer.probabilities, expected, atol=1e-4)


def test_a_preprocessed_tensor_can_be_flipped(server: Server, offline: Classifier) -> None:
    tensor = offline.bundle.manifest.preprocessing(CONTENTS[0])
    body = photos(tensor.ravel().tolist(), [1, 3, SIDE, SIDE], "FP32") | {"parameters": {"tta": "flips"}}
    answer = httpx.post(f"{server.model}/infer", json=body).json()["outputs"]
    found = next(output["data"] for output in answer if output["name"] == "probabilities")
    np.testing.assert_allclose(found, expected_flips(offline, CONTENTS[:1])[0], atol=1e-5)
    crops = httpx.post(f"{server.model}/infer", json=body | {"parameters": {"tta": "crops"}})
    check(crops, 400, "already cropped")


def test_v1_takes_it_too(server: Server, offline: Classifier) -> None:
    body = {"instances": [b64encode(CONTENTS[0]).decode()], "parameters": {"tta": "flips"}}
    answer = httpx.post(f"{server.url}/v1/models/leaf:predict", json=body).json()
    found = answer["predictions"][0]["probabilities"]
    np.testing.assert_allclose(found, expected_flips(offline, CONTENTS[:1])[0], atol=1e-5)


@pytest.mark.parametrize(("tta", "most"), [("flips", 4), ("crops", 1)])
def test_views_count_against_the_photo_limit(server: Server, tta: Augmentation, most: int) -> None:
    with Client(server.url, max_photos_per_request=16 * VIEWS[tta]) as client:
        assert len(client.predict(CONTENTS[:most], tta=tta)) == most
        with pytest.raises(RefusedError, match=f"with tta={tta}; one request may hold 16") as caught:
            client.predict([CONTENTS[0]] * (most + 1), tta=tta)
    assert caught.value.status == 413


def test_a_bad_photo_is_named_once(server: Server) -> None:
    with Client(server.url) as client, pytest.raises(RefusedError) as caught:
        client.predict([CONTENTS[0], b"no photo"], tta="flips")
    assert str(caught.value).count("not an image") == 1
    assert "photo 1: not an image" in str(caught.value)


@pytest.mark.parametrize("value", ["rotations", "", 4, True, None, ["flips"]])
def test_other_values_are_refused(server: Server, value: object) -> None:
    body = photos([b64encode(CONTENTS[0]).decode()]) | {"parameters": {"tta": value}}
    check(httpx.post(f"{server.model}/infer", json=body), 400, "tta is not one of none, flips, crops")


def test_the_metadata_says_what_there_is(server: Server) -> None:
    found = httpx.get(server.model).json()["parameters"]["tta"]
    assert found.keys() == VIEWS.keys()

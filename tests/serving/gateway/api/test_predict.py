"""POST /v1/predict and /v1/predict_batch, over HTTP, before the real predictor."""

from __future__ import annotations

import base64
import json

import httpx
import pytest

from tests.support.golden import PHOTOS, SERVED, answers
from tests.support.services.gateway import RunningGateway
from tests.support.services.servers import Server

FILES = [(name, (PHOTOS / name).read_bytes()) for name in SERVED]


def problem(response: httpx.Response) -> dict[str, object]:
    assert response.headers["content-type"] == "application/problem+json", response.text
    document = response.json()
    assert document["status"] == response.status_code and document["detail"] and document["type"]
    return dict(document)


@pytest.mark.parametrize("way", ["multipart", "raw", "curl", "json", "data url"])
def test_every_way_to_send_a_photo_gives_the_predictors_answer(anna: httpx.Client, way: str) -> None:
    name, content = FILES[2]
    text = base64.b64encode(content).decode()
    response = {
        "multipart": lambda: anna.post("/v1/predict", files={"file": (name, content)}, data={"top_k": "2"}),
        "raw": lambda: anna.post(
            "/v1/predict?top_k=2", content=content, headers={"Content-Type": "image/jpeg"}
        ),
        "curl": lambda: anna.post(
            "/v1/predict?top_k=2",
            content=content,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        ),
        "json": lambda: anna.post("/v1/predict", json={"image": text, "top_k": 2, "name": "rust-3.jpg"}),
        "data url": lambda: anna.post(
            "/v1/predict", json={"image": f"data:image/jpeg;base64,{text}", "top_k": 2}
        ),
    }[way]()
    assert response.status_code == 200, response.text
    answer, recorded = response.json(), {o["name"]: o for o in answers()["v2"]["outputs"]}
    width = recorded["probabilities"]["shape"][1]
    wanted = recorded["probabilities"]["data"][2 * width : 3 * width]
    assert list(answer["probabilities"].values()) == pytest.approx(wanted, abs=1e-6)
    assert len(answer["top"]) == 2 and answer["top"][0]["label"] == answer["prediction"]
    assert answer["confidence"] == max(answer["probabilities"].values())
    assert answer["file_name"] == ("rust-3.jpg" if way in ("multipart", "json") else "")
    assert answer["sentence"] and answer["id"] and answer["request_id"] and answer["times"]["total_ms"] > 0


def test_a_batch_is_the_single_answers_to_the_last_bit(anna: httpx.Client, predictor: Server) -> None:
    response = anna.post("/v1/predict_batch", files=[("files", file) for file in FILES])
    assert response.status_code == 200, response.text
    direct = httpx.post(
        f"{predictor.model}/infer",
        json={
            "inputs": [
                {
                    "name": "photos",
                    "datatype": "BYTES",
                    "shape": [len(FILES)],
                    "data": [base64.b64encode(content).decode() for _, content in FILES],
                }
            ]
        },
    ).json()
    (probabilities,) = [o["data"] for o in direct["outputs"] if o["name"] == "probabilities"]
    got = [value for one in response.json()["predictions"] for value in one["probabilities"].values()]
    assert got == probabilities
    assert [one["file_name"] for one in response.json()["predictions"]] == [
        name.split("/")[1] for name, _ in FILES
    ]


def test_an_explanation(anna: httpx.Client) -> None:
    response = anna.post("/v1/predict?explain=true", files={"file": FILES[0]})
    heat = response.json()["explanation"]
    assert len(heat) == len(heat[0]) > 4 and 0 <= min(map(min, heat)) <= max(map(max, heat)) <= 1


def test_test_time_augmentation(anna: httpx.Client) -> None:
    plain = anna.post("/v1/predict", files={"file": FILES[0]}).json()
    flips = anna.post("/v1/predict", files={"file": FILES[0]}, data={"tta": "flips"}).json()
    assert flips["probabilities"] != plain["probabilities"]
    wanted = answers()["views"]["flips"]
    assert list(flips["probabilities"].values()) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        (b"", 422, "empty"),
        (b"hello, this is no photo at all", 422, "not_an_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "not_an_image"),
        (b"<!DOCTYPE html><script>alert(1)</script>", 415, "not_an_image"),
        (b"PK\x03\x04" + b"\0" * 50, 415, "not_an_image"),
        (FILES[0][1][:300], 422, None),
    ],
)
def test_an_unusable_photo_is_refused_by_name(
    anna: httpx.Client, content: bytes, status: int, reason: str | None
) -> None:
    document = problem(anna.post("/v1/predict", files={"file": ("bad.jpg", content)}))
    assert document["status"] == status and (reason is None or document["reason"] == reason), document


def test_the_bad_photo_of_a_batch_is_named(anna: httpx.Client) -> None:
    files = [("files", FILES[0]), ("files", ("bad.jpg", b"no photo at all"))]
    document = problem(anna.post("/v1/predict_batch", files=files))
    assert document["status"] == 422 and "1" in str(document["detail"])


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("top_k=0", "top_k"),
        ("top_k=two", "top_k"),
        ("tta=spins", "flips"),
        ("explain=perhaps", "explain"),
        ("topk=3", "topk"),
    ],
)
def test_a_wrong_option_is_refused_with_what_is_allowed(anna: httpx.Client, query: str, words: str) -> None:
    document = problem(anna.post(f"/v1/predict?{query}", files={"file": FILES[0]}))
    assert document["status"] == 400 and words in str(document["detail"])


def test_malformed_bodies(anna: httpx.Client) -> None:
    multipart = {"Content-Type": "multipart/form-data; boundary=x"}
    cases = [
        (b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\nhalf", multipart),
        (b"", multipart),
        (b"--y", {"Content-Type": "multipart/form-data"}),
        (b"{", {"Content-Type": "application/json"}),
        (b"[]", {"Content-Type": "application/json"}),
        (b'{"image": 5}', {"Content-Type": "application/json"}),
        (b'{"image": "%%%"}', {"Content-Type": "application/json"}),
        (b'{"other": "x"}', {"Content-Type": "application/json"}),
    ]
    for body, headers in cases:
        assert problem(anna.post("/v1/predict", content=body, headers=headers))["status"] == 400, body
    assert (
        problem(anna.post("/v1/predict", content=b"x", headers={"Content-Type": "text/plain"}))["status"]
        == 415
    )
    assert problem(anna.post("/v1/predict"))["status"] == 415


def test_limits_on_bytes_and_count(anna: httpx.Client) -> None:
    files = [("files", FILES[0])] * 17
    assert problem(anna.post("/v1/predict_batch", files=files))["reason"] == "too_many_photos"
    assert problem(anna.post("/v1/predict", files=files[:2]))["reason"] == "too_many_photos"
    huge = anna.post(
        "/v1/predict", content=b"\xff" * (64 * 2**20 + 1), headers={"Content-Type": "image/jpeg"}
    )
    assert problem(huge)["reason"] == "too_large"


def test_credentials_are_required(gateway: RunningGateway) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic YTpi"},
        {"X-API-Key": "pfk_x_y"},
    ):
        response = httpx.post(f"{gateway.url}/v1/predict", files={"file": FILES[0]}, headers=headers)
        assert problem(response)["status"] == 401 and "WWW-Authenticate" in response.headers
    with gateway.client("eve", "feedback") as eve:
        assert problem(eve.post("/v1/predict", files={"file": FILES[0]}))["reason"] == "scope_missing"


def test_headers(anna: httpx.Client) -> None:
    response = anna.post("/v1/predict", files={"file": FILES[0]}, headers={"X-Request-Id": "mine-1"})
    assert response.headers["X-Request-Id"] == "mine-1" == response.json()["request_id"]
    assert response.headers["RateLimit"].startswith('"photos";r=')
    assert "'unsafe" not in response.headers["Content-Security-Policy"]
    evil = anna.get("/v1/quota", headers={"X-Request-Id": "a\tb<script>"})
    assert "<" not in evil.headers["X-Request-Id"]


def test_paths_and_methods_that_are_not_there(anna: httpx.Client) -> None:
    assert problem(anna.get("/v1/nothing"))["status"] == 404
    assert problem(anna.get("/v1/predict"))["status"] == 405


def test_the_openapi_document_is_complete(anna: httpx.Client) -> None:
    document = anna.get("/openapi.json").json()
    assert set(document["paths"]) >= {"/v1/predict", "/v1/predict_batch", "/v1/predict_async", "/v1/feedback"}
    body = document["paths"]["/v1/predict"]["post"]["requestBody"]["content"]
    assert {"multipart/form-data", "application/json", "image/*"} <= set(body)
    assert json.dumps(document).count("application/problem+json") > 20

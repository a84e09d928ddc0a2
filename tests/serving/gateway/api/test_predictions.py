"""What is remembered, and who sees it."""

from __future__ import annotations

import base64
import hashlib
import sqlite3
import uuid
from pathlib import Path

import httpx
import numpy as np
import pytest

from serving.gateway.log.database import Database
from serving.gateway.log.tables import PredictionFeatures
from tests.support.golden import PHOTOS, SERVED
from tests.support.services.gateway import RunningGateway, start_gateway
from tests.support.services.servers import Server

PHOTO = (PHOTOS / SERVED[0]).read_bytes()


def ask(client: httpx.Client, name: str = "leaf.jpg", content: bytes = PHOTO) -> dict[str, object]:
    response = client.post("/v1/predict", files={"file": (name, content)})
    assert response.status_code == 200, response.text
    return dict(response.json())


def test_an_answer_is_found_again_at_once(anna: httpx.Client) -> None:
    answer = ask(anna)
    stored = anna.get(f"/v1/predictions/{answer['id']}").json()
    for name in ("prediction", "confidence", "known", "novelty", "file_name", "request_id", "model"):
        assert stored[name] == answer[name]
    assert stored["source"] == "rest" and stored["review"] == "none"


async def test_features_are_stored_as_the_predictor_gives_them(
    gateway: RunningGateway, predictor: Server, anna: httpx.Client
) -> None:
    answer = ask(anna)
    anna.get(f"/v1/predictions/{answer['id']}")  # waits until it is stored
    tensor = {"name": "photos", "shape": [1], "datatype": "BYTES", "data": [base64.b64encode(PHOTO).decode()]}
    body = {"inputs": [tensor], "outputs": [{"name": "features"}]}
    (given,) = httpx.post(f"{predictor.model}/infer", json=body).json()["outputs"]
    database = Database(f"sqlite+aiosqlite:///{gateway.directory / 'gateway.db'}")
    async with database.session() as session:
        row = await session.get_one(PredictionFeatures, answer["id"])
    await database.close()
    stored = np.frombuffer(row.features, "<f2")
    assert stored.tolist() == np.array(given["data"], np.float16).tolist() and len(stored) > 10


def test_without_the_setting_no_features_are_stored(predictor: Server, tmp_path: Path) -> None:
    gateway = start_gateway(tmp_path, predictor.url, log__features="false")
    with gateway.client() as client:
        client.get(f"/v1/predictions/{ask(client)['id']}")
    gateway.stop()
    with sqlite3.connect(gateway.directory / "gateway.db") as database:
        assert database.execute("select count(*) from predictions").fetchone() == (1,)
        assert database.execute("select count(*) from prediction_features").fetchone() == (0,)


def test_a_page_at_a_time_newest_first(gateway: object, anna: httpx.Client) -> None:
    ids = [ask(anna, f"{n}.jpg")["id"] for n in range(5)]
    anna.get(f"/v1/predictions/{ids[-1]}")  # waits until they are stored
    first = anna.get("/v1/predictions?limit=2").json()
    second = anna.get(f"/v1/predictions?limit=2&before={first['next']}").json()
    got = [one["id"] for page in (first, second) for one in page["predictions"]]
    assert got == ids[::-1][:4]


def test_photos_of_one_request_stay_in_their_order(gateway: RunningGateway) -> None:
    names = [f"{number}.jpg" for number in range(16)]
    with gateway.client(f"lea-{uuid.uuid4()}") as lea:
        files = [("files", (name, PHOTO)) for name in names]
        answers = lea.post("/v1/predict_batch", files=files).json()["predictions"]
        lea.get(f"/v1/predictions/{answers[-1]['id']}")  # waits until they are stored
        listed = lea.get("/v1/predictions").json()["predictions"]
    assert [one["file_name"] for one in listed] == names[::-1]


def test_another_users_prediction_does_not_exist(anna: httpx.Client, ben: httpx.Client) -> None:
    answer = ask(anna)
    anna.get(f"/v1/predictions/{answer['id']}")
    for path in (f"/v1/predictions/{answer['id']}", f"/v1/predictions/{answer['id']}/photo"):
        mine, none = ben.get(path), ben.get(path.replace(str(answer["id"]), "0" * 32))
        assert mine.status_code == none.status_code == 404
        assert mine.json()["detail"] == none.json()["detail"]
    said = ben.post("/v1/feedback", json={"prediction_id": answer["id"], "verdict": "right"})
    assert said.status_code == 404
    assert all(one["id"] != answer["id"] for one in ben.get("/v1/predictions").json()["predictions"])


@pytest.mark.parametrize(
    "path", ["/v1/predictions/../health", "/v1/predictions/%2e%2e", "/v1/predictions/" + "g" * 32]
)
def test_ids_are_ids(anna: httpx.Client, path: str) -> None:
    assert anna.get(path).status_code in (400, 404, 200 if "health" in path else 404)


def test_file_names_are_data(anna: httpx.Client) -> None:
    evil = "../../etc/<script>alert(1)</script>\n.jpg"
    answer = ask(anna, evil)
    assert answer["file_name"] == "script>.jpg" or "/" not in str(answer["file_name"])


def test_feedback_keeps_the_photo_and_a_reviewer_decides(
    anna: httpx.Client, ben: httpx.Client, reviewer: httpx.Client
) -> None:
    answer = ask(anna, content=_unique())
    label = "rust" if answer["prediction"] != "rust" else "healthy"
    said = anna.post(
        "/v1/feedback", json={"prediction_id": answer["id"], "verdict": "label", "label": label.upper()}
    ).json()
    assert (said["review"], said["corrected_label"]) == ("pending", label)
    assert anna.get(f"/v1/predictions/{answer['id']}/photo").headers["content-type"] == "image/jpeg"
    assert answer["id"] in [item["id"] for item in reviewer.get("/v1/review?limit=200").json()]
    assert ben.get("/v1/review").status_code == 403
    assert ben.post(f"/v1/review/{answer['id']}", json={"label": label}).status_code == 403
    agreed = reviewer.post(
        "/v1/feedback", json={"prediction_id": answer["id"], "verdict": "label", "label": label}
    ).json()
    assert agreed["review"] == "agreed"
    done = reviewer.post(f"/v1/review/{answer['id']}", json={"label": label}).json()
    assert (done["review"], done["corrected_label"]) == ("accepted", label)
    again = anna.post("/v1/feedback", json={"prediction_id": answer["id"], "verdict": "right"})
    assert again.status_code == 409


def test_two_users_of_the_same_photo_agree(anna: httpx.Client, ben: httpx.Client) -> None:
    content = _unique()
    first, second = ask(anna, content=content), ask(ben, content=content)
    for client, answer in ((anna, first), (ben, second)):
        body = {"prediction_id": answer["id"], "verdict": "label", "label": "something new"}
        state = client.post("/v1/feedback", json=body).json()
    assert (state["review"], state["corrected_label"]) == ("agreed", "something new")


def test_nobody_reviews_oneself(reviewer: httpx.Client) -> None:
    answer = ask(reviewer, content=_unique())
    reviewer.post("/v1/feedback", json={"prediction_id": answer["id"], "verdict": "right"})
    refused = reviewer.post(f"/v1/review/{answer['id']}", json={"label": "rust"})
    assert refused.json()["reason"] == "own_prediction"


def test_accepted_photos_are_listed_for_collection(anna: httpx.Client, reviewer: httpx.Client) -> None:
    content = _unique()
    answer = ask(anna, content=content)
    anna.post("/v1/feedback", json={"prediction_id": answer["id"], "verdict": "right"})
    reviewer.post(f"/v1/review/{answer['id']}", json={"label": "scab"})
    lines = reviewer.get("/v1/feedback/accepted").text.splitlines()
    (line,) = [line for line in lines if str(answer["id"]) in line]
    assert hashlib.sha256(content).hexdigest() in line and '"corrected_label":"scab"' in line
    assert anna.get("/v1/feedback/accepted").status_code == 403


def test_export_and_erase(gateway: object, anna: httpx.Client) -> None:
    from tests.support.services.gateway import RunningGateway

    assert isinstance(gateway, RunningGateway)
    with gateway.client(f"zoe-{uuid.uuid4()}", "predict feedback") as zoe:
        answer = ask(zoe, content=_unique())
        zoe.post("/v1/feedback", json={"prediction_id": answer["id"], "verdict": "right"})
        key = zoe.post("/v1/account/keys", json={"name": "notebook"}).json()
        exported = zoe.get("/v1/account/export").text
        assert str(answer["id"]) in exported and '"kind":"feedback"' in exported and key["id"] in exported
        secret = key["key"].partition(key["id"])[2]
        assert len(secret) > 30 and secret not in exported
        erased = zoe.delete("/v1/account/data").json()
        assert erased == {"predictions": 1, "photos": 1, "feedback": 1, "api_keys": 1}
        assert zoe.get(f"/v1/predictions/{answer['id']}").status_code == 404
        assert zoe.get("/v1/account/export").text == ""


def test_an_api_key_may_do_no_more_than_its_maker(gateway: object, anna: httpx.Client) -> None:
    refused = anna.post("/v1/account/keys", json={"name": "x", "scopes": ["admin"]})
    assert refused.status_code == 403
    made = anna.post("/v1/account/keys", json={"name": "x", "scopes": ["predict"]}).json()
    headers = {"Authorization": f"Bearer {made['key']}"}
    with httpx.Client(base_url=anna.base_url, headers=headers) as keyed:
        assert ask(keyed)["id"]
        assert (
            keyed.post("/v1/feedback", json={"prediction_id": "0" * 32, "verdict": "right"}).status_code
            == 403
        )
        assert anna.delete(f"/v1/account/keys/{made['id']}").status_code == 204
        assert keyed.get("/v1/quota").status_code == 401


def test_analytics_are_for_reviewers(anna: httpx.Client, reviewer: httpx.Client) -> None:
    answer = ask(anna)
    anna.get(f"/v1/predictions/{answer['id']}")
    rows = reviewer.get("/v1/analytics/classes").json()
    assert {"time", "label", "photos", "mean_confidence", "unknown"} == set(rows[0])
    csv = reviewer.get("/v1/analytics/latency?format=csv")
    assert csv.text.startswith("time,photos,p50_ms") and "text/csv" in csv.headers["content-type"]
    assert reviewer.get("/v1/analytics/users").status_code == 403
    assert anna.get("/v1/analytics/classes").status_code == 403
    assert reviewer.get("/v1/analytics/classes?since=2026-05-02&until=2026-05-01").status_code == 400


def _unique() -> bytes:
    """The photo with a comment of its own, so that it is another photo."""
    return PHOTO[:2] + b"\xff\xfe\x00\x22" + uuid.uuid4().hex.encode() + PHOTO[2:]

"""Predictions of the predictor's own callers reach the real gateway's log, once."""

from __future__ import annotations

import base64
import hashlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from phytoflow.client.grpc_client import GrpcClient
from phytoflow.client.rest_client import Client
from phytoflow.errors import ConfigError
from phytoflow.inference.predictions import Predictions
from phytoflow.system.ports import free_port
from serving.predictor.options import Options
from serving.predictor.prediction_log.sender import LogSender
from tests.serving.predictor.prediction_log.test_record import REQUEST
from tests.support.golden import BUNDLE
from tests.support.services.gateway import RunningGateway, start_gateway
from tests.support.services.servers import Server, running, start, stop

PHOTO = sorted((BUNDLE / "probes").glob("*.*"))[0].read_bytes()


class Pair(NamedTuple):
    gateway: RunningGateway
    predictor: Server


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    port = free_port()
    gateway = start_gateway(tmp_path_factory.mktemp("gateway"), f"http://127.0.0.1:{port}")
    (gateway.directory / "log.token").write_text(gateway.token("predictor", "log"))
    gateway.environment["PREDICTOR_PORT"] = str(port)
    yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def pair(gateway: RunningGateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    options = logging_to(gateway) | {"http_port": int(gateway.environment["PREDICTOR_PORT"])}
    with running(BUNDLE, tmp_path_factory.mktemp("predictor") / "log", **options) as predictor:
        yield Pair(gateway, predictor)


def logging_to(gateway: RunningGateway) -> dict[str, object]:
    token = gateway.directory / "log.token"
    return {"log_url": gateway.url, "log_token_file": token, "log_features": "yes", "inference_threads": 1}


def rows(gateway: RunningGateway, expected: int, **filters: str) -> list[dict[str, Any]]:
    """The logged predictions, as soon as there are as many as expected, or after a minute."""
    where = " and ".join(f"{name} = ?" for name in filters)
    query = f"select * from predictions where {where} order by id"
    deadline = time.monotonic() + 60
    while True:
        with sqlite3.connect(gateway.directory / "gateway.db") as database:
            database.row_factory = sqlite3.Row
            found = [dict(row) for row in database.execute(query, tuple(filters.values()))]
        if len(found) >= expected or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def count(server: Server, name: str) -> float:
    families = text_string_to_metric_families(httpx.get(f"{server.url}/metrics").text)
    return sum(s.value for f in families for s in f.samples if s.name == name)


def test_every_way_to_ask_the_predictor_is_logged_once(pair: Pair) -> None:
    gateway, predictor = pair
    with Client(predictor.url) as rest, GrpcClient(predictor.grpc) as rpc:
        (answer,) = rest.predict([PHOTO])
        rpc.predict([PHOTO, PHOTO])
    body = {"instances": [base64.b64encode(PHOTO).decode()]}
    assert httpx.post(f"{predictor.url}/v1/models/leaf:predict", json=body).status_code == 200
    (own,) = rows(gateway, 1, source="v2-rest")
    assert own["label"] == answer.label and own["confidence"] == pytest.approx(answer.score)
    assert own["novelty"] == pytest.approx(answer.novelty) and bool(own["known"]) == answer.known
    assert own["photo_sha256"] == hashlib.sha256(PHOTO).hexdigest()
    assert (own["model_version"], own["user_id"]) == (answer.model_version, "") and own["latency_ms"] > 0
    assert len(rows(gateway, 2, source="v2-grpc")) == 2 and len(rows(gateway, 1, source="v1")) == 1
    with sqlite3.connect(gateway.directory / "gateway.db") as database:
        query = "select length(features) from prediction_features where prediction_id = ?"
        assert database.execute(query, (own["id"],)).fetchone()[0] > 20


def test_the_gateways_own_predictions_are_not_sent_a_second_time(pair: Pair) -> None:
    gateway, predictor = pair
    before = len(rows(gateway, 0, source="v2-rest"))
    with gateway.client() as client:
        through = client.post("/v1/predict", files={"file": ("a.jpg", PHOTO)}).json()
    with Client(predictor.url) as client_of_the_predictor:
        client_of_the_predictor.predict([PHOTO])  # sent after it: once this one is there, the other would be
    assert len(rows(gateway, before + 1, source="v2-rest")) == before + 1
    (logged,) = rows(gateway, 1, request_id=through["request_id"])
    assert logged["source"] == "rest"


def test_what_a_gateway_that_is_away_missed_arrives_later(pair: Pair) -> None:
    gateway, predictor = pair
    before = len(rows(gateway, 0, source="v2-rest")), count(predictor, "prediction_log_sent_total")
    gateway.kill()
    with Client(predictor.url) as client:
        for _ in range(3):
            assert client.predict([PHOTO])[0].label
    time.sleep(1.5)  # at least one attempt fails
    gateway.start()
    assert len(rows(gateway, before[0] + 3, source="v2-rest")) == before[0] + 3
    assert count(predictor, "prediction_log_dropped_total") == 0
    assert count(predictor, "prediction_log_sent_total") == before[1] + 3


def test_what_is_left_is_sent_at_shutdown(gateway: RunningGateway, tmp_path: Path) -> None:
    before = len(rows(gateway, 0, source="v2-rest"))
    predictor = start(BUNDLE, tmp_path / "log", **logging_to(gateway))
    with Client(predictor.url) as client:
        client.predict([PHOTO] * 3)
    stop(predictor)
    assert len(rows(gateway, before + 3, source="v2-rest")) == before + 3


def test_only_the_prediction_that_the_gateway_refuses_is_dropped(gateway: RunningGateway) -> None:
    options = logging_to(gateway)
    sender = LogSender(gateway.url, Path(str(options["log_token_file"])), features=False)
    unknown = Predictions(REQUEST.predictions.probabilities, ("x" * 300,) * 3)  # longer than the log takes
    bad = REQUEST._replace(predictions=unknown, request_id="bad")
    before = dropped("refused")
    for request in (*[REQUEST._replace(request_id="good")] * 3, bad, REQUEST._replace(request_id="good")):
        sender.add(request)
    sender.start()
    assert len(rows(gateway, 8, request_id="good")) == 8
    sender.close()
    assert rows(gateway, 0, request_id="bad") == [] and dropped("refused") == before + 2


def test_a_refused_token_is_read_again(gateway: RunningGateway, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(gateway.token("anna", "predict"))  # of another scope: HTTP 403
    sender = LogSender(gateway.url, token, features=False)
    sender.add(REQUEST._replace(request_id="later"))
    sender.start()
    assert rows_never(gateway, request_id="later")
    token.write_text(gateway.token("predictor", "log"))
    assert len(rows(gateway, 2, request_id="later")) == 2
    sender.close()


def rows_never(gateway: RunningGateway, **filters: str) -> bool:
    time.sleep(1.5)  # one attempt
    return rows(gateway, 0, **filters) == []


def dropped(reason: str) -> float:
    return REGISTRY.get_sample_value("prediction_log_dropped_total", {"reason": reason}) or 0


def test_mistakes_are_told_at_the_start(tmp_path: Path) -> None:
    assert LogSender.from_options(Options("bundle")) is None
    with pytest.raises(ConfigError, match="no address of a gateway"):
        LogSender.from_options(Options("bundle", log_url="gateway:8000", log_token_file="t"))
    with pytest.raises(ConfigError, match="cannot read the token"):
        LogSender.from_options(Options("bundle", log_url="http://gateway:8000", log_token_file=str(tmp_path)))
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(ConfigError, match="holds no token"):
        empty = str(tmp_path / "empty")
        LogSender.from_options(Options("bundle", log_url="http://gateway:8000", log_token_file=empty))

"""The clients against the real gateway and predictor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.client.gateway import GatewayClient, GatewayError
from phytoflow.errors import ConfigError, ServingError
from phytoflow.system.ports import free_port
from tests.support.golden import BUNDLE
from tests.support.services.gateway import RunningGateway

FILE = sorted((BUNDLE / "probes").glob("*.*"))[0]
CLASSES = {"healthy", "rust", "scab"}


@pytest.fixture
def client(gateway: RunningGateway) -> Iterator[GatewayClient]:
    with GatewayClient(gateway.url, gateway.token("anna")) as client:
        yield client


def test_a_photo_is_classified_corrected_and_found_again(client: GatewayClient) -> None:
    answer = client.predict(FILE, top_k=2, explain=True)
    assert answer.prediction == answer.top[0].label and len(answer.top) == 2
    assert answer.probabilities.keys() == CLASSES and answer.file_name == FILE.name and answer.sentence
    assert answer.explanation and len(answer.explanation) == len(answer.explanation[0])
    said = client.feedback(answer.id, label="scab", comment="seen in the field")
    assert (said.corrected_label, said.review) == ("scab", "pending")
    stored = client.prediction(answer.id)
    assert (stored.id, stored.review, stored.corrected_label) == (answer.id, "pending", "scab")
    assert next(client.history()).id == answer.id
    assert client.photo(answer.id)[:2] == FILE.read_bytes()[:2]


def test_long_lists_are_sent_in_several_requests(client: GatewayClient) -> None:
    content = FILE.read_bytes()
    answers = client.predict_batch([content] * 17)
    assert len(answers) == len({answer.id for answer in answers}) == 17
    client.prediction(answers[-1].id)  # waits until it is in the log
    assert len(list(client.history(label=answers[0].prediction))) >= 17
    assert list(client.history(label="no such class")) == []


def test_tasks(client: GatewayClient) -> None:
    task = client.submit(FILE)
    assert task.state == "queued" and not task.finished
    done = client.wait(task.task_id, poll=0.05)
    assert done.result is not None and done.result.prediction in CLASSES


def test_quota_and_classes(client: GatewayClient) -> None:
    assert client.quota().limit == 100_000 and set(client.classes()) == CLASSES


def test_errors_carry_reason_and_remedy(client: GatewayClient, gateway: RunningGateway) -> None:
    with pytest.raises(GatewayError, match="document or archive") as caught:
        client.predict(b"%PDF-1.7 no photo")
    assert (caught.value.status, caught.value.reason, caught.value.photo) == (415, "not_an_image", "photo")
    assert "JPEG" in caught.value.remedy and len(caught.value.request_id) == 36
    with pytest.raises(GatewayError) as unusable:
        client.predict_batch([FILE, b"\xff\xd8\xff\xe0 broken"])
    assert unusable.value.status == 422 and "photo 1" in unusable.value.message
    with pytest.raises(GatewayError) as unknown:
        client.task("0" * 32)
    assert unknown.value.reason == "no_such_task"
    with (
        GatewayClient(gateway.url, "no token") as unknown_user,
        pytest.raises(GatewayError) as refused,
    ):
        unknown_user.quota()
    assert refused.value.status == 401
    with pytest.raises(GatewayError) as not_a_reviewer:
        next(client.accepted())
    assert not_a_reviewer.value.reason == "scope_missing"


def test_a_gateway_that_is_not_there() -> None:
    with (
        GatewayClient(f"localhost:{free_port()}", "t", retries=0) as client,
        pytest.raises(ServingError, match="cannot be reached") as caught,
    ):
        client.quota()
    assert "/livez" in caught.value.remedy


def test_the_token_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs a token"):
        GatewayClient("http://localhost")
    with pytest.raises(ConfigError, match="cannot read the token"):
        GatewayClient("http://localhost", token_file=tmp_path / "none")
    with pytest.raises(ConfigError, match="is no address of a gateway"):
        GatewayClient("ftp://localhost", "t")

"""Which models a stack serves, before a real predictor; this process stands for the supervisor."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from phytoflow.errors import BundleError, ConfigError, ServingError
from phytoflow.stack import models
from phytoflow.stack.control import INTERNAL_PORTS
from phytoflow.stack.layout import Layout
from phytoflow.stack.models import end_challenger, read_plan, serve
from phytoflow.stack.plan import Plan
from tests.support.golden import BUNDLE
from tests.support.services.servers import running


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "stack")
    ports = {name: 9 for name in INTERNAL_PORTS if not name.startswith("challenger")}  # of an older version
    Plan("/photos/bundle", "127.0.0.1", 8000, ports).write(layout)
    return layout


@pytest.fixture
def signals(layout: Layout) -> Iterator[list[int]]:
    """The signals that the supervisor gets."""
    received: list[int] = []
    before = signal.signal(signal.SIGHUP, lambda number, _: received.append(number))
    layout.state.write_text(json.dumps({"pid": os.getpid(), "services": {}}))
    lock = os.open(layout.lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    yield received
    os.close(lock)
    signal.signal(signal.SIGHUP, before)


def test_a_challenger_is_served_and_ended(layout: Layout, signals: list[int], tmp_path: Path) -> None:
    with running(BUNDLE, tmp_path / "log", inference_threads=1, model_name="leaf") as predictor:
        plan = read_plan(layout)
        Plan(**vars(plan) | {"ports": plan.ports | {"challenger": urlsplit(predictor.url).port}}).write(
            layout
        )
        assert serve(layout, "challenger", BUNDLE) == predictor.url
    plan = read_plan(layout)
    assert (plan.bundle, plan.challenger) == ("/photos/bundle", str(BUNDLE.resolve()))
    assert plan.ports["challenger_grpc"] > 9 and signals == [signal.SIGHUP]
    end_challenger(layout)
    end_challenger(layout)  # there is none any more
    assert read_plan(layout).challenger == "" and len(signals) == 2


def test_one_that_does_not_answer_in_time_is_named_with_its_log(
    layout: Layout, signals: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "_START_SECONDS", 0.3)
    with pytest.raises(ServingError, match="predictor did not serve version") as failed:
        serve(layout, "champion", BUNDLE)
    assert str(layout.log("predictor")) in failed.value.remedy
    assert read_plan(layout).bundle == str(BUNDLE.resolve())


def test_what_cannot_be_served_changes_nothing(layout: Layout, tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        serve(layout, "challenger", tmp_path)
    with pytest.raises(ConfigError, match="is down"):
        serve(layout, "challenger", BUNDLE)
    with pytest.raises(ConfigError, match="no stack in"):
        serve(Layout(tmp_path / "none"), "challenger", BUNDLE)
    assert read_plan(layout).challenger == ""

"""The fast path is taken only if uvicorn's private protocol class is as it expects."""

from __future__ import annotations

import logging
import tomllib
from functools import partial
from typing import Any

import pytest
import uvicorn
from packaging.requirements import Requirement
from uvicorn.protocols.http import httptools_impl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.predictor.transport.rest.fast_path import InferFastPath
from serving.predictor.transport.rest.http_protocol import PLAIN, choose_http_protocol, find_mismatch
from tests.support.services.servers import ROOT

REST: Any = object()  # is only handed on


def test_the_installed_uvicorn_is_as_expected() -> None:
    assert find_mismatch() == ""
    chosen = choose_http_protocol(REST)
    assert isinstance(chosen, partial) and chosen.func is InferFastPath and chosen.args == (REST,)


def test_the_installed_uvicorn_is_in_the_tested_range() -> None:
    """The lowest version and the newest have passed these tests; another needs them to pass first."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (declared,) = (each for each in map(Requirement, extras["serve"]) if each.name == "uvicorn")
    assert {clause.operator for clause in declared.specifier} == {">=", "<"}
    assert uvicorn.__version__ in declared.specifier


class Renamed(HttpToolsProtocol):
    """Sets an attribute under another name."""

    def __init__(self, **arguments: Any) -> None:
        self.parser = self.transport = self.flow = self.loop = self.tasks = self.server_state = None
        self.headers = self.logger = self.expect_100_continue = self.request = None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda patch: patch.delattr(httptools_impl, "STATUS_LINE"), "no HttpToolsProtocol or STATUS_LINE"),
        (lambda patch: patch.delattr(HttpToolsProtocol, "on_response_complete"), "on_response_complete"),
        (lambda patch: patch.setattr(HttpToolsProtocol, "on_body", lambda self, *parts: None), "on_body"),
        (lambda patch: patch.setattr(httptools_impl, "HttpToolsProtocol", Renamed), "no attribute cycle"),
    ],
)
def test_another_class_falls_back_with_one_line(
    change: Any, message: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    change(monkeypatch)
    with caplog.at_level(logging.WARNING):
        assert choose_http_protocol(REST) == PLAIN
    (record,) = caplog.records
    assert message in record.getMessage()

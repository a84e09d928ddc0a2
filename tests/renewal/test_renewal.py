"""The end of a rollout; whole ones run in tests/slow/stack/test_renewal.py and tests/e2e/renewal."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from phytoflow.client.gateway import GatewayClient, GatewayError
from phytoflow.renewal.on_stack import StackServers
from phytoflow.renewal.renewal import Renewal
from phytoflow.stack.layout import Layout
from phytoflow.tracking.settings import TrackingSettings


@dataclass
class Answers:
    """A gateway that answers with one reason after the other; empty: it agrees."""

    reasons: list[str]
    calls: list[str] = field(default_factory=list)

    def request(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The next answer."""
        self.calls.append(f"{method} {path}")
        if reason := self.reasons.pop(0):
            raise GatewayError("no", status=409, reason=reason)
        return {}


def settle(answers: Answers, folder: Path) -> None:
    servers = StackServers(Layout(folder), folder)
    client = cast("GatewayClient", answers)
    Renewal(servers, folder, str(folder), client, TrackingSettings(), poll_seconds=0.0)._settle()


def test_it_settles_once_the_champions_former_pods_answer_no_more(tmp_path: Path) -> None:
    answers = Answers(["other_version", "other_version", ""])
    settle(answers, tmp_path)
    assert answers.calls == ["POST /v1/rollouts/current/settle"] * 3


def test_any_other_refusal_is_final(tmp_path: Path) -> None:
    answers = Answers(["not_promoted", ""])
    with pytest.raises(GatewayError):
        settle(answers, tmp_path)
    assert len(answers.calls) == 1

"""Metrics of the watcher over HTTP."""

from __future__ import annotations

import httpx

from phytoflow.system.ports import free_port
from phytoflow.watch import metrics


def test_ended_events_are_counted_from_zero() -> None:
    port = free_port()
    metrics.serve_metrics(f"127.0.0.1:{port}")
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    for action in ("train", "rollout", "deploy"):
        for state in ("succeeded", "refused", "failed"):
            assert f'watch_events_total{{action="{action}",state="{state}"}}' in text
    assert "watch_events_waiting 0.0" in text

"""The configuration of Alertmanager: everything goes to one webhook, the urgent at once."""

from __future__ import annotations

from typing import Any

import yaml


def render_config(webhook_url: str = "") -> str:
    """Alertmanager's configuration file.

    Args:
        webhook_url: Where alerts are posted; empty: nowhere, they are seen in Alertmanager only.
    """
    receiver: dict[str, Any] = {"name": "webhook"}
    if webhook_url:
        receiver["webhook_configs"] = [{"url": webhook_url, "send_resolved": True}]
    return yaml.safe_dump(
        {
            "route": {
                "receiver": "webhook",
                "group_by": ["alertname", "namespace"],
                "group_wait": "10s",  # alerts of one cause come together
                "group_interval": "1m",
                "repeat_interval": "12h",
                "routes": [{"matchers": ['severity="critical"'], "group_wait": "5s"}],
            },
            # While the gateway or its predictor is away, that is the alert; its consequences are not news.
            "inhibit_rules": [
                {
                    "source_matchers": ['alertname=~"PhytoflowGatewayDown|PhytoflowPredictorUnreachable"'],
                    "target_matchers": ['alertname=~"Phytoflow(Availability|Latency)Burns(Fast|Slowly)"'],
                    "equal": ["namespace"],
                }
            ],
            "receivers": [receiver],
        },
        sort_keys=False,
    )

"""Writes every page and manifest that comes from the code."""

from __future__ import annotations

from collections.abc import Callable

from scripts.generate_docs.alerting import alerts_page, dashboards_page, dashboards_yaml, rules_yaml
from scripts.generate_docs.commands import commands
from scripts.generate_docs.configuration import configuration, service_settings
from scripts.generate_docs.decisions import decisions
from scripts.generate_docs.exit_codes import exit_codes
from scripts.generate_docs.gateway_api import gateway_api
from scripts.generate_docs.markdown import ROOT
from scripts.generate_docs.schemas import bundle_json, metrics_json

PAGES: dict[str, Callable[[], str]] = {
    "docs/reference/configuration.md": configuration,
    "docs/reference/service-settings.md": service_settings,
    "docs/reference/cli.md": commands,
    "docs/reference/exit-codes.md": exit_codes,
    "docs/reference/gateway-api.md": gateway_api,
    "docs/reference/metrics-json.md": metrics_json,
    "docs/reference/bundle-json.md": bundle_json,
    "docs/reference/dashboards.md": dashboards_page,
    "docs/reference/alerts.md": alerts_page,
    "docs/decisions/README.md": decisions,
    "manifests/monitoring/prometheusrule.yaml": rules_yaml,
    "manifests/monitoring/dashboards.yaml": dashboards_yaml,
}


def main() -> None:
    """Writes the pages."""
    for name, generate in PAGES.items():
        (ROOT / name).write_text(generate())


if __name__ == "__main__":
    main()

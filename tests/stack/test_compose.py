"""compose.yaml runs the table of services of `phytoflow stack`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from phytoflow.cli.main import app
from phytoflow.stack import stores
from phytoflow.stack.control import INTERNAL_PORTS
from phytoflow.stack.layout import Layout
from phytoflow.stack.plan import Plan
from phytoflow.stack.service import Service
from phytoflow.stack.table import build_services
from serving.gateway.settings import GatewaySettings, load_gateway_settings
from tests.support.services.gateway import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"migrate"}  # the stack's gateway migrates before it starts
PROMETHEUS = yaml.safe_load(COMPOSE["configs"]["prometheus"]["content"])


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Service]:
    """The stack's services where everything is installed; programs of others are not looked for."""
    for name in ("postgresql", "redis", "mlflow", "alertmanager", "prometheus"):
        monkeypatch.setattr(stores, name, lambda layout, plan, name=name: Service(name, (name,), bool))
    ports = {name: 9000 + number for number, name in enumerate(INTERNAL_PORTS)}
    plan = Plan("/photos/bundle", "127.0.0.1", 8000, ports)
    return {service.name: service for service in build_services(Layout(tmp_path), plan)}


def settings_of(service: str, secrets: Path) -> GatewaySettings:
    """The gateway's settings in a container, with secrets that lie in another folder."""
    environment = {
        key: str(value).replace("/run/secrets", str(secrets))
        for key, value in SERVICES[service]["environment"].items()
    }
    return load_gateway_settings(environment=environment)


def test_the_services_are_those_of_the_table(table: dict[str, Service]) -> None:
    assert SERVICES.keys() - ONE_SHOT == table.keys()


def test_a_service_waits_until_what_it_requires_is_healthy(table: dict[str, Service]) -> None:
    for name, service in table.items():
        conditions = {
            other: entry["condition"] for other, entry in SERVICES[name].get("depends_on", {}).items()
        }
        assert conditions.keys() - ONE_SHOT == set(service.requires), name
        for other, condition in conditions.items():
            expected = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
            assert condition == expected, name


def test_every_service_has_a_health_check_and_as_long_to_start_as_in_the_table(
    table: dict[str, Service],
) -> None:
    assert all("healthcheck" in SERVICES[name] for name in table)
    for name in ("predictor", "gateway", "worker"):  # the fixture replaces the others
        start = SERVICES[name]["healthcheck"]["start_period"]
        assert start == f"{table[name].start_seconds:g}s", name
    for name, path in {
        "predictor": "/v2/models/leaf/ready",
        "gateway": "/livez",
        "mlflow": "/health",
    }.items():
        assert path in SERVICES[name]["healthcheck"]["test"][-1]


def test_the_gateways_settings_are_those_of_the_stack(table: dict[str, Service], tmp_path: Path) -> None:
    """Addresses and folders differ; nothing else may."""
    (tmp_path / "database-url").write_text("postgresql+asyncpg://gateway:p@postgresql:5432/gateway")
    (tmp_path / "redis-url").write_text("redis://:p@redis:6379/0")
    inside = yaml.safe_load((tmp_path / "gateway.yaml").read_text())
    stack = load_gateway_settings(tmp_path / "gateway.yaml", {}).model_dump()
    container = settings_of("gateway", tmp_path).model_dump()
    # compose.yaml serves no challenger.
    assert _leaves(inside) - {"directory", "upstream.challenger_bundle"} <= _leaves(_given(container))
    addresses = {"directory", "server.host", "server.public_url", "auth.link_networks", "prometheus_url"}
    addresses |= {"upstream.champion", "upstream.champion_bundle", "upstream.challenger_bundle"}
    addresses |= {"database.url", "redis.url", "runs.mlflow_url"}
    addresses |= {"tasks.worker_metrics"}
    differing = {key for key in _flat(stack) if _flat(stack)[key] != _flat(container)[key]}
    assert differing <= addresses
    assert container["upstream"]["champion"] == "http://predictor:8080"
    assert container["prometheus_url"] == "http://prometheus:9090"


def test_worker_and_gateway_have_the_same_settings_and_image() -> None:
    for name in ("worker", "migrate"):
        assert SERVICES[name]["environment"] == SERVICES["gateway"]["environment"]
        assert SERVICES[name]["image"] == SERVICES["gateway"]["image"]


def test_prometheus_scrapes_what_it_scrapes_in_the_stack(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    ports = {name: 9000 + number for number, name in enumerate(INTERNAL_PORTS)}
    if stores.prometheus(layout, Plan("/bundle", "127.0.0.1", 8000, ports)) is None:
        pytest.skip("no prometheus (scripts/install-tools)")
    stack = yaml.safe_load((tmp_path / "prometheus.yml").read_text())
    jobs = {job["job_name"] for job in stack["scrape_configs"]}
    assert {job["job_name"] for job in PROMETHEUS["scrape_configs"]} == jobs
    assert PROMETHEUS["global"] == stack["global"]


def test_alerts_are_those_of_the_command_that_writes_them(tmp_path: Path) -> None:
    """`phytoflow dashboards monitoring` writes both files that the containers mount."""
    done = CliRunner().invoke(app, ["dashboards", str(tmp_path / "monitoring")])
    assert done.exit_code == 0, done.output
    mounted = {
        volume.split(":")[0].removeprefix("./monitoring/")
        for service in ("prometheus", "alertmanager")
        for volume in SERVICES[service]["volumes"]
        if volume.startswith("./monitoring/")
    }
    assert mounted == {"rules.yaml", "alertmanager.yaml"}
    assert mounted <= {file.name for file in (tmp_path / "monitoring").iterdir()}
    (rules,) = PROMETHEUS["rule_files"]
    assert f"./monitoring/rules.yaml:{rules}:ro" in SERVICES["prometheus"]["volumes"]
    (group,) = PROMETHEUS["alerting"]["alertmanagers"]
    assert group["static_configs"] == [{"targets": ["alertmanager:9093"]}]


def test_only_the_gateway_has_a_port_and_on_this_machine_only() -> None:
    assert {name: s["ports"] for name, s in SERVICES.items() if "ports" in s} == {
        "gateway": ["127.0.0.1:${PORT:-8000}:8000"]
    }


def test_containers_are_closed_and_passwords_are_files() -> None:
    for name, service in SERVICES.items():
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name
        words = " ".join(f"{key}={value}" for key, value in service.get("environment", {}).items())
        assert "PASSWORD=" not in words, name
        assert {_source(secret) for secret in service.get("secrets", [])} <= COMPOSE["secrets"].keys(), name
    assert all(entry["file"].startswith("./secrets/") for entry in COMPOSE["secrets"].values())


def test_named_volumes_are_declared() -> None:
    used = {v.partition(":")[0] for s in SERVICES.values() for v in s.get("volumes", []) if v[0] not in "$./"}
    assert used == COMPOSE["volumes"].keys()


def _source(secret: Any) -> str:
    return str(secret["source"] if isinstance(secret, dict) else secret)


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return found


def _given(tree: dict[str, Any]) -> dict[str, Any]:
    """Without what is empty."""
    return {k: _given(v) if isinstance(v, dict) else v for k, v in tree.items() if v not in ("", None)}


def _leaves(tree: dict[str, Any]) -> set[str]:
    return set(_flat(tree))

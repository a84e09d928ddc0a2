"""The services of a stack and their settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from phytoflow.stack import stores
from phytoflow.stack.control import INTERNAL_PORTS
from phytoflow.stack.layout import Layout
from phytoflow.stack.plan import OPTIONAL, Plan
from phytoflow.stack.service import Service
from phytoflow.stack.table import build_services


def plan(without: tuple[str, ...] = ()) -> Plan:
    ports = {name: 9000 + number for number, name in enumerate(INTERNAL_PORTS)}
    return Plan("/photos/bundle", "127.0.0.1", 8000, ports, without)


def settings(layout: Layout) -> dict[str, dict[str, object]]:
    return yaml.safe_load(layout.gateway_settings.read_text())  # type: ignore[no-any-return]


def test_without_optional_services_gateway_and_worker_use_what_is_embedded(tmp_path: Path) -> None:
    services = build_services(Layout(tmp_path), plan(OPTIONAL))
    assert [service.name for service in services] == ["predictor", "gateway", "worker"]
    assert {service.name: service.requires for service in services} == {
        "predictor": (),
        "gateway": ("predictor",),
        "worker": ("gateway",),
    }
    assert settings(Layout(tmp_path)).keys() == {"directory", "server", "upstream", "tasks"}


def test_a_worker_is_not_up_because_a_killed_one_was(tmp_path: Path) -> None:
    worker = build_services(Layout(tmp_path), plan(OPTIONAL))[-1]
    Path(worker.environment["PHYTOFLOW_WORKER_ALIVE_FILE"]).touch()
    assert worker.name == "worker" and worker.prepare and worker.health()
    worker.prepare()
    assert not worker.health()


def test_only_the_gateway_is_reached_from_outside(tmp_path: Path) -> None:
    services = build_services(Layout(tmp_path), plan(OPTIONAL))
    assert "127.0.0.1" in services[0].command
    assert settings(Layout(tmp_path))["upstream"]["champion"] == "http://127.0.0.1:9000"
    assert settings(Layout(tmp_path))["server"] == {"host": "127.0.0.1", "port": 8000}


def test_stores_come_first_and_their_passwords_stay_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in OPTIONAL:
        monkeypatch.setattr(stores, name, lambda layout, plan, name=name: Service(name, (name,), bool))
    layout = Layout(tmp_path)
    services = build_services(layout, plan())
    names = [service.name for service in services]
    assert names == [
        "postgresql",
        "redis",
        "predictor",
        "gateway",
        "worker",
        "mlflow",
        "alertmanager",
        "prometheus",
    ]
    assert services[3].requires == ("predictor", "postgresql", "redis")
    assert layout.secret("redis") in str(settings(layout)["redis"])
    assert layout.secret("postgresql") in str(settings(layout)["database"])
    assert settings(layout)["runs"] == {"mlflow_url": f"http://127.0.0.1:{plan().ports['mlflow']}"}
    assert layout.gateway_settings.stat().st_mode & 0o077 == 0
    assert not any(layout.secret("redis") in " ".join(service.command) for service in services)


def test_a_challenger_is_served_besides_and_nothing_waits_for_it(tmp_path: Path) -> None:
    services = build_services(Layout(tmp_path), replace(plan(OPTIONAL), challenger="/photos/next"))
    assert [service.name for service in services] == ["predictor", "gateway", "worker", "challenger"]
    assert "/photos/next" in services[3].command and services[3].requires == ()
    used = [word for service in (services[0], services[3]) for word in service.command if word.isdigit()]
    assert len(used) == len(set(used)) == 4


def test_the_gateway_reads_bundles_by_links_that_follow_a_promotion(tmp_path: Path) -> None:
    layout, first = Layout(tmp_path), replace(plan(OPTIONAL), challenger="/photos/next")
    build_services(layout, first)
    upstream = settings(layout)["upstream"]
    links = [Path(str(upstream[f"{role}_bundle"])) for role in ("champion", "challenger")]
    assert [str(link.readlink()) for link in links] == ["/photos/bundle", "/photos/next"]
    before = layout.gateway_settings.read_text()
    build_services(layout, replace(first, bundle="/photos/next", challenger=""))
    assert str(links[0].readlink()) == "/photos/next" and not links[1].is_symlink()
    assert layout.gateway_settings.read_text() == before  # the gateway goes on
    build_services(layout, replace(first, bundle="s3://models/leaf"))
    assert settings(layout)["upstream"]["champion_bundle"] == "s3://models/leaf"

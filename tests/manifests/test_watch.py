"""`phytoflow watch` as a Deployment: its settings, its Secrets, who may call it, and whom it calls."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
import yaml

from phytoflow.cli.pipeline import submit
from phytoflow.cli.service.rollout import app as rollouts
from phytoflow.watch.audit import Event
from phytoflow.watch.commands import build_commands
from phytoflow.watch.settings import WatchSettings, load_watch_settings
from tests.manifests.conftest import ROOT, Build, Object, of_kind, pod_specs

BASE = "manifests/watch"


@pytest.fixture
def pod(build: Build) -> Object:
    (deployment,) = of_kind(build(BASE), "Deployment")
    assert deployment["spec"]["replicas"] == 1 and deployment["spec"]["strategy"] == {"type": "Recreate"}
    spec: Object = deployment["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def settings(build: Build, pod: Object, tmp_path: Path) -> WatchSettings:
    """The settings as the pod reads them, with the database of a Secret."""
    (settings_map,) = of_kind(build(BASE), "ConfigMap")
    file, url = tmp_path / "watch.yaml", tmp_path / "database-url"
    file.write_text(settings_map["data"]["watch.yaml"])
    url.write_text("postgresql+asyncpg://gateway:p@db/gateway")
    variables = {item["name"]: item["value"] for item in pod["containers"][0]["env"]}
    variables["PHYTOFLOW_WATCH__DATABASE__FILE"] = str(url)
    return load_watch_settings(file, variables)


def files(pod: Object) -> set[str]:
    """What its Secrets and tokens become in the container."""
    (secrets,) = [volume for volume in pod["volumes"] if volume["name"] == "secrets"]
    (place,) = [m["mountPath"] for m in pod["containers"][0]["volumeMounts"] if m["name"] == "secrets"]
    names = set()
    for source in secrets["projected"]["sources"]:
        items = source["secret"]["items"] if "secret" in source else [source["serviceAccountToken"]]
        names |= {f"{place}/{item['path']}" for item in items}
    return names


def test_settings_fit_to_the_pod(build: Build, pod: Object, settings: WatchSettings) -> None:
    (container,) = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert settings.metrics.endswith(f":{ports['metrics']}")
    assert settings.webhook.address.endswith(f":{ports['hooks']}")
    variables = {item["name"]: item["value"] for item in container["env"]}
    named = {settings.webhook.secret_file, settings.triggers.token_file}
    named |= {variables["PHYTOFLOW_WATCH__DATABASE__FILE"], variables["KF_PIPELINES_SA_TOKEN_PATH"]}
    assert named == files(pod)
    writable = {m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")}
    assert writable == {settings.directory, "/tmp"}
    (gateway,) = of_kind(build("kustomize/overlays/prod", "watch"), "Service", "gateway")
    assert settings.triggers.gateway == f"http://{gateway['metadata']['name']}"
    assert gateway["spec"]["ports"][0]["port"] == 80


def test_a_training_is_a_run_that_is_submitted_once(pod: Object, settings: WatchSettings) -> None:
    prepare, words = build_commands(Event(id=7, action="train", key="v1"), settings)
    assert prepare[:3] == ["phytoflow", "data", "collect"]
    assert f"--output={settings.triggers.data}" in prepare
    application = typer.Typer()
    application.command()(submit)
    assert words[:3] == ["phytoflow", "pipeline", "submit"]
    options = typer.main.get_command(application).make_context("submit", words[3:]).params
    assert options["once"] and options["wait_seconds"] > 0 and options["name"] == "watch-000007"
    assert options["data"].startswith("s3://") and options["output"] == "s3://phytoflow/runs/000007"
    assert options["settings"] == [
        "serving.publish=false",
        f"data.groups_csv={settings.triggers.data}/groups.csv",
    ]
    mounts = [mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]]
    assert str(options["pipeline"].parent) in mounts


def test_it_has_no_rights_in_the_kubernetes_api(build: Build, pod: Object) -> None:
    objects = build(BASE)
    assert not {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"} & {o["kind"] for o in objects}
    (account,) = of_kind(objects, "ServiceAccount", pod["serviceAccountName"])
    assert account["automountServiceAccountToken"] is pod["automountServiceAccountToken"] is False
    (secrets,) = [volume for volume in pod["volumes"] if volume["name"] == "secrets"]
    (token,) = [s["serviceAccountToken"] for s in secrets["projected"]["sources"] if "secret" not in s]
    assert token["audience"] == "pipelines.kubeflow.org"  # the API server refuses it
    bound = of_kind(build("kustomize/overlays/prod", "watch"), "RoleBinding")
    assert account["metadata"]["name"] not in {s["name"] for b in bound for s in b["subjects"]}


def test_with_rollouts_it_is_a_publisher_of_its_namespace(build: Build, tmp_path: Path) -> None:
    objects = build("kustomize/overlays/prod", "watch", "watch-rollouts")
    pod = pod_specs(objects)["Deployment/watch"]
    assert pod["automountServiceAccountToken"] is True
    (bound,) = of_kind(objects, "RoleBinding", "phytoflow-watch-rollouts")
    (namespace,) = {one["metadata"]["namespace"] for one in of_kind(objects, "Deployment", "watch")}
    account = {"kind": "ServiceAccount", "name": pod["serviceAccountName"], "namespace": namespace}
    assert bound["subjects"] == [account]
    assert of_kind(objects, bound["roleRef"]["kind"], bound["roleRef"]["name"])
    variables = {item["name"]: item["value"] for item in pod["containers"][0]["env"]}
    variables.pop("PHYTOFLOW_WATCH__DATABASE__FILE")
    (file := tmp_path / "watch.yaml").write_text(
        of_kind(objects, "ConfigMap", "watch")[0]["data"]["watch.yaml"]
    )
    (words,) = build_commands(Event(id=9, action="rollout", key="7"), load_watch_settings(file, variables))
    options = typer.main.get_command(rollouts).get_command(None, "run").make_context("run", words[3:]).params
    assert options["bundle"] == "s3://phytoflow/runs/000007/bundle" and options["service"] == "leaf"
    assert options["url"] == "http://gateway" and str(options["token_file"]) in files(pod)


def test_webhooks_come_from_few_places_and_metrics_from_prometheus(build: Build) -> None:
    (policy,) = of_kind(build(BASE), "NetworkPolicy")
    callers = {rule["ports"][0]["port"]: rule["from"] for rule in policy["spec"]["ingress"]}
    assert all(peer for peers in callers.values() for peer in peers)
    assert {"podSelector": {}} not in callers[9103] + callers[9102]
    monitoring = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    assert callers[9102] == [monitoring] and monitoring in callers[9103]
    (service,) = of_kind(build(BASE), "Service")
    assert [port["targetPort"] for port in service["spec"]["ports"]] == ["hooks"]
    anywhere = [
        port["port"] for rule in policy["spec"]["egress"] if "to" not in rule for port in rule["ports"]
    ]
    assert sorted(set(anywhere)) == [53, 443, 5432, 9000]


def test_the_template_holds_what_the_pod_mounts(build: Build) -> None:
    template = yaml.safe_load((ROOT / "manifests/templates/watch-secret.yaml").read_text())
    (deployment,) = pod_specs(build(BASE)).values()
    (secrets,) = [volume for volume in deployment["volumes"] if volume["name"] == "secrets"]
    mounted = {
        s["secret"]["name"]: s["secret"]["items"] for s in secrets["projected"]["sources"] if "secret" in s
    }
    assert {item["key"] for item in mounted[template["metadata"]["name"]]} == set(template["stringData"])
    gateways = yaml.safe_load((ROOT / "manifests/templates/gateway-secret.yaml").read_text())
    assert {item["key"] for item in mounted[gateways["metadata"]["name"]]} <= set(gateways["stringData"])


def test_the_dev_database_lets_it_in(build: Build) -> None:
    (policy,) = of_kind(build("manifests/gateway-stores"), "NetworkPolicy", "phytoflow-postgresql-gateway")
    (rule,) = policy["spec"]["ingress"]
    (named,) = rule["from"][0]["podSelector"]["matchExpressions"]
    assert "watch" in named["values"]

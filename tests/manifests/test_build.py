"""Every overlay and feature builds, and does what it says."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from phytoflow.cli.service.stack import app
from serving.gateway.app import create_app
from serving.gateway.settings import GatewaySettings, load_gateway_settings
from tests.manifests.conftest import ROOT, Build, of_kind, pod_specs

OVERLAYS = ("dev", "staging", "prod")
FEATURES = sorted(path.name for path in (ROOT / "kustomize" / "features").iterdir() if path.is_dir())


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_overlay_has_the_whole_platform_in_one_namespace(build: Build, overlay: str) -> None:
    objects = build(f"kustomize/overlays/{overlay}")
    namespace = of_kind(objects, "Namespace")[0]["metadata"]["name"]
    kinds = {found["kind"] for found in objects}
    assert kinds >= {"ServingRuntime", "ServiceAccount", "Role", "RoleBinding", "Deployment", "PriorityClass"}
    assert kinds >= {"NetworkPolicy", "PodDisruptionBudget", "ResourceQuota", "LimitRange"}
    assert kinds >= {"PodMonitor", "PrometheusRule"}
    without = {"Namespace", "PriorityClass"}
    assert {o["metadata"].get("namespace") for o in objects if o["kind"] not in without} == {namespace}
    subjects = of_kind(objects, "RoleBinding")[0]["subjects"]
    assert [subject["namespace"] for subject in subjects] == [namespace, "kubeflow"]


NEED_A_SERVICE = {"autoscaling-keda"}  # it takes its name


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("base", ["manifests/predictor", *(f"kustomize/overlays/{o}" for o in OVERLAYS)])
def test_every_feature_goes_on_every_base(build: Build, base: str, feature: str) -> None:
    if feature in ("gateway", "monitoring") and base != "manifests/predictor":
        pytest.skip("overlays have it already")
    if feature in NEED_A_SERVICE and base != "manifests/predictor":
        pytest.skip("overlays declare no InferenceService")
    assert build(base, feature)


def test_keda_follows_the_requests_in_progress_of_the_declared_service(build: Build) -> None:
    service = build("manifests/predictor", "autoscaling-keda", name="rose")[0]
    assert service["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == "keda"
    metric = service["spec"]["predictor"]["autoScaling"]["metrics"][0]["external"]
    rules = of_kind(build("manifests/monitoring"), "PrometheusRule")[0]["spec"]["groups"][0]["rules"]
    recorded = next(rule["record"] for rule in rules if "active_prediction_requests" in rule["expr"])
    assert recorded == "phytoflow:requests_in_progress:sum"
    assert metric["metric"]["query"] == f'sum({recorded}{{inferenceservice="rose"}})'
    assert float(metric["target"]["value"]) > 0


def test_the_ingress_leads_to_the_gateways_pages_and_api_over_tls_and_to_nothing_else(build: Build) -> None:
    (ingress,) = of_kind(build("kustomize/overlays/prod", "ingress"), "Ingress")
    (rule,) = ingress["spec"]["rules"]
    paths = rule["http"]["paths"]
    assert {path["backend"]["service"]["name"] for path in paths} == {"gateway"}
    open_paths = {path["path"]: path["pathType"] == "Exact" for path in paths}
    assert _reachable(open_paths) == _routes() - {"/metrics", "/livez", "/readyz"}
    (tls,) = ingress["spec"]["tls"]
    assert tls["hosts"] == [rule["host"]] and tls["secretName"]
    assert "cert-manager.io/cluster-issuer" in ingress["metadata"]["annotations"]


def test_the_gateway_api_leads_where_the_ingress_does(build: Build) -> None:
    objects = build("kustomize/overlays/prod", "gateway-api")
    (gateway,), (route,) = of_kind(objects, "Gateway"), of_kind(objects, "HTTPRoute")
    (listener,) = gateway["spec"]["listeners"]
    assert listener["protocol"] == "HTTPS" and listener["tls"]["certificateRefs"]
    assert route["spec"]["hostnames"] == [listener["hostname"]]
    assert route["spec"]["parentRefs"] == [{"name": gateway["metadata"]["name"]}]
    (rule,) = route["spec"]["rules"]
    assert rule["backendRefs"] == [{"name": "gateway", "port": 80}]
    (ingress,) = of_kind(build("kustomize/overlays/prod", "ingress"), "Ingress")
    assert [match["path"]["value"] for match in rule["matches"]] == [
        path["path"] for path in ingress["spec"]["rules"][0]["http"]["paths"]
    ]


def _routes() -> set[str]:
    """Paths of the gateway, with placeholders."""
    return {found for route in create_app(GatewaySettings()).routes for found in _paths_of(route)}


def _paths_of(route: Any, prefix: str = "") -> set[str]:
    if path := getattr(route, "path", None):
        return {prefix + path}
    prefix += route.include_context.prefix
    return {found for inner in route.original_router.routes for found in _paths_of(inner, prefix)}


def _reachable(open_paths: dict[str, bool]) -> set[str]:
    """Routes that a list of paths opens; the value says whether a path is exact."""
    return {
        route
        for route in _routes()
        if any(
            route == path or (not exact and route.startswith(path + "/"))
            for path, exact in open_paths.items()
        )
    }


def test_restricted_egress_leaves_dns_and_one_address(build: Build) -> None:
    policies = of_kind(build("kustomize/overlays/prod", "restricted-egress"), "NetworkPolicy")
    (policy,) = [p for p in policies if p["metadata"]["name"] == "phytoflow-predictors"]
    dns, store = policy["spec"]["egress"]
    assert {port["port"] for port in dns["ports"]} == {53} and "to" in dns
    assert [list(peer) for peer in store["to"]] == [["ipBlock"]]


GATEWAY_PODS = {"Deployment/gateway", "Deployment/gateway-worker", "Job/gateway-migrate"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_has_the_gateway_with_what_it_needs(build: Build, overlay: str) -> None:
    objects = build(f"kustomize/overlays/{overlay}")
    there = {f"{o['kind']}/{o['metadata']['name']}" for o in objects}
    assert there >= GATEWAY_PODS | {"Service/gateway", "ConfigMap/gateway", "PodDisruptionBudget/gateway"}
    assert there >= {"HorizontalPodAutoscaler/gateway", "PodMonitor/phytoflow-gateway"}
    assert ("Deployment/redis" in there) == (overlay == "dev")
    (gateway,) = of_kind(objects, "Deployment", "gateway")
    assert "replicas" not in gateway["spec"]  # the autoscaler's
    assert gateway["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_settings_of_the_gateway_are_valid_and_fit_to_the_other_objects(build: Build, tmp_path: Path) -> None:
    objects = build("kustomize/overlays/prod")
    (settings_map,) = of_kind(objects, "ConfigMap", "gateway")
    file = tmp_path / "gateway.yaml"
    file.write_text(settings_map["data"]["gateway.yaml"])
    settings = load_gateway_settings(file, {})
    (autoscaler,) = of_kind(objects, "HorizontalPodAutoscaler", "gateway")
    assert settings.limits.replicas == autoscaler["spec"]["maxReplicas"]
    assert settings.tasks.workers == 0 and not settings.auth.local_issuer
    (declared,) = build("manifests/predictor")
    assert settings.upstream.champion == f"http://{declared['metadata']['name']}-predictor"
    assert settings.upstream.model == declared["metadata"]["name"]
    (gateway,) = of_kind(objects, "Deployment", "gateway")
    container = gateway["spec"]["template"]["spec"]["containers"][0]
    assert settings.server.port == container["ports"][0]["containerPort"]
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert {str(settings.directory / name) for name in ("session.key", "issuer.json")} <= mounts


def test_gateway_secrets_are_those_that_the_command_writes(build: Build, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["secrets", str(tmp_path / "secrets")])
    assert done.exit_code == 0, done.output
    written = {file.name for file in (tmp_path / "secrets").iterdir()}
    template = yaml.safe_load((ROOT / "manifests/templates/gateway-secret.yaml").read_text())
    assert set(template["stringData"]) <= written
    used = {
        item["key"]
        for spec in pod_specs(build("kustomize/overlays/dev")).values()
        for volume in spec.get("volumes", [])
        if volume.get("secret", {}).get("secretName") == "phytoflow-gateway"
        for item in volume["secret"]["items"]
    }
    assert used == written


def test_replicas_spread_over_nodes(build: Build) -> None:
    (service,) = build("manifests/predictor")
    (constraint,) = service["spec"]["predictor"]["topologySpreadConstraints"]
    assert constraint["topologyKey"] == "kubernetes.io/hostname"
    label = constraint["labelSelector"]["matchLabels"]["serving.kserve.io/inferenceservice"]
    assert label == service["metadata"]["name"]


def test_hpa_follows_the_cpu(build: Build) -> None:
    service = build("manifests/predictor", "autoscaling-hpa")[0]
    assert service["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == "hpa"
    assert service["spec"]["predictor"]["scaleMetric"] == "cpu"


def test_gpu_takes_the_place_of_the_pod_before(build: Build) -> None:
    objects = build("manifests/predictor", "gpu")
    predictor = of_kind(objects, "InferenceService")[0]["spec"]["predictor"]
    runtime = of_kind(objects, "ServingRuntime")[0]
    assert predictor["model"]["runtime"] == runtime["metadata"]["name"] == "phytoflow-predictor-gpu"
    assert predictor["model"]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert predictor["nodeSelector"] and predictor["tolerations"]
    assert predictor["deploymentStrategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    quota = of_kind(build("kustomize/overlays/dev", "gpu"), "ResourceQuota")[0]
    assert int(quota["spec"]["hard"]["requests.nvidia.com/gpu"]) > 0


def test_without_the_feature_no_gpu_is_given(build: Build) -> None:
    quota = of_kind(build("kustomize/overlays/prod"), "ResourceQuota")[0]
    assert quota["spec"]["hard"]["requests.nvidia.com/gpu"] == "0"


def test_both_runtimes_differ_only_where_they_must(build: Build) -> None:
    plain = of_kind(build("manifests/serving"), "ServingRuntime")[0]["spec"]
    gpu = of_kind(build("manifests/predictor", "gpu"), "ServingRuntime")[0]["spec"]
    one, other = plain["containers"][0], gpu["containers"][0]
    differing = {key for key in one if one[key] != other[key]}
    assert one.keys() == other.keys() and differing == {"image", "args", "resources"}
    assert plain["volumes"] == gpu["volumes"]


def test_every_manifest_is_in_a_kustomization() -> None:
    listed, there = set[Path](), set[Path]()
    for folder in (ROOT / "manifests").iterdir():
        if folder.is_dir() and folder.name != "templates":
            text = (folder / "kustomization.yaml").read_text()
            listed |= {folder / line[2:] for line in text.splitlines() if line.startswith("- ")}
            there |= {path for path in folder.glob("*.yaml") if path.name != "kustomization.yaml"}
    assert listed == there

"""Every overlay and feature builds, and does what it says."""

from pathlib import Path

import pytest

from tests.manifests.conftest import ROOT, Build, of_kind

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


NEED_A_SERVICE = {"autoscaling-keda", "gateway-api", "ingress"}  # they take its name


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("base", ["manifests/predictor", *(f"kustomize/overlays/{o}" for o in OVERLAYS)])
def test_every_feature_goes_on_every_base(build: Build, base: str, feature: str) -> None:
    if feature == "monitoring" and base != "manifests/predictor":
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


def test_the_ingress_leads_to_the_declared_service_over_tls_and_to_nothing_else(build: Build) -> None:
    (ingress,) = of_kind(build("manifests/predictor", "ingress", name="rose"), "Ingress")
    paths = ingress["spec"]["rules"][0]["http"]["paths"]
    assert [path["path"] for path in paths] == ["/v2/models/rose", "/v1/models"]
    assert {path["backend"]["service"]["name"] for path in paths} == {"rose-predictor"}
    (tls,) = ingress["spec"]["tls"]
    assert tls == {"hosts": [ingress["spec"]["rules"][0]["host"]], "secretName": "rose-tls"}
    assert "cert-manager.io/cluster-issuer" in ingress["metadata"]["annotations"]


def test_the_gateway_leads_to_the_declared_service_over_tls_and_to_nothing_else(build: Build) -> None:
    objects = build("manifests/predictor", "gateway-api", name="rose")
    (gateway,), (route,) = of_kind(objects, "Gateway"), of_kind(objects, "HTTPRoute")
    (listener,) = gateway["spec"]["listeners"]
    assert listener["protocol"] == "HTTPS" and listener["tls"]["certificateRefs"][0]["name"] == "rose-tls"
    assert route["spec"]["parentRefs"] == [{"name": gateway["metadata"]["name"]}]
    (rule,) = route["spec"]["rules"]
    assert rule["backendRefs"] == [{"name": "rose-predictor", "port": 80}]
    assert [match["path"]["value"] for match in rule["matches"]] == ["/v2/models/rose", "/v1/models"]


def test_restricted_egress_leaves_dns_and_one_address(build: Build) -> None:
    policies = of_kind(build("kustomize/overlays/prod", "restricted-egress"), "NetworkPolicy")
    (policy,) = [p for p in policies if p["metadata"]["name"] == "phytoflow-predictors"]
    dns, store = policy["spec"]["egress"]
    assert {port["port"] for port in dns["ports"]} == {53} and "to" in dns
    assert [list(peer) for peer in store["to"]] == [["ipBlock"]]


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

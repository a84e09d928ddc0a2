"""What holds for every object: pinned images, limits, no root, no secret values."""

import re

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from serving.predictor.observability import metrics
from tests.manifests.conftest import ROOT, Build, Object, containers, of_kind, pod_specs

CASES = [
    ("dev", ()),
    ("dev", ("gpu",)),
    ("staging", ()),
    ("staging", ("gpu",)),
    ("prod", ("watch",)),
    ("prod", ("gpu",)),
]
CASE = pytest.mark.parametrize(("overlay", "features"), CASES)
FILES = sorted((ROOT / "manifests").rglob("*.yaml"))


@CASE
def test_images_are_set_and_pinned(build: Build, overlay: str, features: tuple[str, ...]) -> None:
    for name, spec in pod_specs(build(f"kustomize/overlays/{overlay}", *features)).items():
        for image in (container["image"] for container in containers(spec)):
            assert not image.startswith("phytoflow/"), f"{name}: {image} is a placeholder"
            tag = image.rsplit("/", 1)[-1].partition(":")[2]
            assert tag not in ("", "latest"), f"{name}: {image} has no tag of its own"


@CASE
def test_containers_are_bounded(build: Build, overlay: str, features: tuple[str, ...]) -> None:
    for name, spec in pod_specs(build(f"kustomize/overlays/{overlay}", *features)).items():
        for container in containers(spec):
            for kind in ("requests", "limits"):
                found = container["resources"][kind]
                assert {"cpu", "memory"} <= found.keys(), f"{name} {container['name']}: {kind} {found}"
        assert all("sizeLimit" in v["emptyDir"] for v in spec.get("volumes", []) if _grows(v)), name


def _grows(volume: Object) -> bool:
    return "emptyDir" in volume and volume["name"] != "data"


@CASE
def test_pods_are_restricted(build: Build, overlay: str, features: tuple[str, ...]) -> None:
    for name, spec in pod_specs(build(f"kustomize/overlays/{overlay}", *features)).items():
        pod = spec.get("securityContext", {})
        for container in containers(spec):
            own = pod | container["securityContext"]
            assert own["runAsNonRoot"] is True and own.get("runAsUser", 1) > 0, name
            assert own["seccompProfile"]["type"] == "RuntimeDefault", name
            assert own["allowPrivilegeEscalation"] is False and own["capabilities"]["drop"] == ["ALL"], name
            assert own["readOnlyRootFilesystem"] is True, name


@CASE
def test_no_client_changes_a_pods_model(build: Build, overlay: str, features: tuple[str, ...]) -> None:
    runtimes = of_kind(build(f"kustomize/overlays/{overlay}", *features), "ServingRuntime")
    assert len(runtimes) == 1 + ("gpu" in features)
    for runtime in runtimes:
        arguments = runtime["spec"]["containers"][0]["args"]
        assert arguments[arguments.index("--model_control_mode") + 1] == "none"


@CASE
def test_a_pod_listens_beyond_itself(build: Build, overlay: str, features: tuple[str, ...]) -> None:
    """The predictor's default is this machine only, which in a pod nothing else reaches."""
    for runtime in of_kind(build(f"kustomize/overlays/{overlay}", *features), "ServingRuntime"):
        arguments = runtime["spec"]["containers"][0]["args"]
        assert arguments[arguments.index("--host") + 1] == "::"


@CASE
def test_containers_are_probed(build: Build, overlay: str, features: tuple[str, ...]) -> None:
    for name, spec in pod_specs(build(f"kustomize/overlays/{overlay}", *features)).items():
        for container in spec["containers"]:
            is_job = name.startswith("Job/")  # it ends by itself
            assert is_job or {"readinessProbe", "livenessProbe"} <= container.keys(), name


@pytest.mark.parametrize(
    ("overlay", "enforced"), [("dev", "baseline"), ("staging", "restricted"), ("prod", "restricted")]
)
def test_namespaces_demand_restricted_pods(build: Build, overlay: str, enforced: str) -> None:
    labels = of_kind(build(f"kustomize/overlays/{overlay}"), "Namespace")[0]["metadata"]["labels"]
    modes = ("enforce", "audit", "warn")
    assert [labels[f"pod-security.kubernetes.io/{mode}"] for mode in modes] == [
        enforced,
        "restricted",
        "restricted",
    ]


@pytest.mark.parametrize("overlay", ["staging", "prod"])
def test_no_secret_leaves_the_dev_overlay(build: Build, overlay: str) -> None:
    assert not of_kind(build(f"kustomize/overlays/{overlay}"), "Secret")


def test_templates_of_secrets_hold_no_values() -> None:
    keys = re.compile("key|password|user|token|secret", re.IGNORECASE)
    for path in (ROOT / "manifests" / "templates").glob("*.yaml"):
        values = yaml.safe_load(path.read_text())["stringData"]
        assert {value for key, value in values.items() if keys.search(key)} == {"FILL-IN"}, path


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_manifests_leave_namespace_and_tags_to_overlays(path) -> None:  # type: ignore[no-untyped-def]
    for found in filter(None, yaml.safe_load_all(path.read_text())):
        assert "namespace" not in found.get("metadata", {})
        assert not re.search(r"image: \S+:\S", path.read_text())
        if found["kind"] != "Kustomization":
            assert found["metadata"]["labels"]["app.kubernetes.io/part-of"] == "phytoflow"


def test_publishers_read_no_secrets_and_have_no_wildcards(build: Build) -> None:
    rules = of_kind(build("manifests/publishing"), "Role")[0]["rules"]
    assert not {"secrets", "*", "pods/exec"} & {name for rule in rules for name in rule["resources"]}
    assert all("*" not in rule["verbs"] + rule["apiGroups"] for rule in rules)


def test_rules_ask_for_metrics_that_the_predictor_has(build: Build) -> None:
    suffixes = "(_bucket|_count|_sum|_total|_info)?"
    exported = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]
    own = "|".join(family.name for metric in exported for family in metric.describe())
    rules = of_kind(build("manifests/monitoring"), "PrometheusRule")[0]["spec"]["groups"][0]["rules"]
    recorded = {rule["record"] for rule in rules if "record" in rule}
    for rule in rules:
        for name in re.findall(r"\b((?:prediction|active|model|phytoflow:)[\w:]*)", rule["expr"]):
            assert name in recorded or re.fullmatch(f"({own}){suffixes}", name), name


@pytest.mark.parametrize(
    "path", sorted((ROOT / "images").glob("*.Containerfile")), ids=lambda path: path.name
)
def test_images_run_as_a_numbered_user_from_a_given_base(path) -> None:  # type: ignore[no-untyped-def]
    text = path.read_text()
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", text, re.MULTILINE)
    assert text.count("ARG BASE_IMAGE") == 1 and not re.search(
        r"^FROM (?!\$\{BASE_IMAGE\})", text, re.MULTILINE
    )


def test_the_gateways_image_sets_no_setting_that_would_win_over_a_file() -> None:
    text = (ROOT / "images" / "gateway.Containerfile").read_text()
    assert "PHYTOFLOW_GATEWAY" not in text

"""Pods with a GPU are placed on a GPU node, tolerate its taint, and count against the quota."""

import copy
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pipelines.compile_options import CompileOptions
from pipelines.package import write_package
from tests.e2e.cluster import Object, get, kubectl, pods, wait_until
from tests.e2e.conftest import ROOT, Versions
from tests.e2e.names import own_name

GPU = "nvidia.com/gpu"
NAME, RUNTIME, STEP = own_name("on-gpu"), own_name("gpu-runtime"), own_name("train-step")
SELECTOR = {"nvidia.com/gpu.present": "true"}


@pytest.fixture(scope="module", autouse=True)
def allowed(platform: str) -> Iterator[None]:
    """Allows one GPU in the quota during the tests, and restores the quota."""
    if not any(int(node["status"]["allocatable"].get(GPU, "0")) for node in get("nodes")["items"]):
        pytest.skip("no node of this cluster offers nvidia.com/gpu")
    before = get("resourcequota", "phytoflow")["spec"]["hard"][f"requests.{GPU}"]
    kubectl("patch", "resourcequota", "phytoflow", "--type=merge", "-p", _quota("1"))
    yield
    kubectl("patch", "resourcequota", "phytoflow", "--type=merge", "-p", _quota(before))


def _quota(gpus: str) -> str:
    return json.dumps({"spec": {"hard": {f"requests.{GPU}": gpus}}})


def _used() -> str:
    return str(get("resourcequota", "phytoflow")["status"]["used"][f"requests.{GPU}"])


def _declared(tmp_path: Path, uri: str) -> list[Object]:
    """Builds the GPU feature with the CPU image, because placement needs no device."""
    base = ROOT / "manifests" / "predictor"
    settings = {"resources": ["../predictor"], "components": ["../gpu"], "namespace": "phytoflow-dev"}
    for source, name in ((base, "predictor"), (ROOT / "kustomize" / "features" / "gpu", "gpu")):
        (tmp_path / name).mkdir()
        for file in source.iterdir():
            (tmp_path / name / file.name).write_text(file.read_text())
    (tmp_path / "over").mkdir()
    (tmp_path / "over" / "kustomization.yaml").write_text(yaml.safe_dump(settings))
    words = ["kubectl", "kustomize", str(tmp_path / "over")]
    built = subprocess.run(words, capture_output=True, text=True, check=True)
    service, runtime = sorted(yaml.safe_load_all(built.stdout), key=lambda found: found["kind"])
    plain = get("servingruntime", "phytoflow-predictor")["spec"]["containers"][0]
    runtime["spec"]["containers"][0] |= {"image": plain["image"], "args": plain["args"]}
    runtime["spec"]["containers"][0]["resources"] = plain["resources"]
    runtime["metadata"]["name"] = RUNTIME
    service["metadata"]["name"] = NAME
    predictor = service["spec"]["predictor"]
    predictor["model"] |= {"storageUri": uri, "runtime": RUNTIME}
    predictor["model"]["resources"]["requests"] |= {"cpu": "50m", "memory": "128Mi"}
    return [runtime, service]


def test_the_features_predictor_takes_the_gpu_and_gives_it_over(versions: Versions, tmp_path: Path) -> None:
    objects = _declared(tmp_path, versions.uris[0])
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))
    try:
        wait = ("--for=condition=Ready", f"inferenceservice/{NAME}", "--timeout=120s")
        kubectl("wait", *wait)
        spec = pods(NAME)[0]["spec"]
        assert spec["containers"][0]["resources"]["limits"][GPU] == "1" and _used() == "1"
        assert spec["nodeSelector"] == SELECTOR
        assert any(t.get("key") == GPU for t in spec["tolerations"])
        changed = copy.deepcopy(objects[1])
        changed["spec"]["predictor"]["model"]["storageUri"] = versions.uris[1]
        first = pods(NAME)[0]["metadata"]["name"]
        kubectl("apply", "-f", "-", stdin=yaml.safe_dump(changed))
        wait_until(lambda: first not in [p["metadata"]["name"] for p in pods(NAME)], 120, "the old pod goes")
        kubectl("rollout", "status", f"deployment/{NAME}-predictor", "--timeout=120s")
        assert _used() == "1"
    finally:
        kubectl("delete", "inferenceservice", NAME)
        kubectl("delete", "servingruntime", RUNTIME)
        wait_until(lambda: _used() == "0", 120, "the GPU is free again")


def test_the_train_step_is_placed_on_the_gpu_node(platform: str, tmp_path: Path) -> None:
    options = CompileOptions(image="none", accelerators=1, node_selector=SELECTOR, tolerations=(GPU,))
    documents = yaml.safe_load_all(write_package(tmp_path / "pipeline.yaml", options).read_text())
    pipeline, platforms = list(documents)[:2]
    container = pipeline["deploymentSpec"]["executors"]["exec-train"]["container"]
    accelerator = container["resources"]["accelerator"]
    placed = platforms["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-train"]
    pod = _pod(accelerator, placed)
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump(pod))
    try:
        wait_until(lambda: "nodeName" in get("pod", STEP)["spec"], 60, "the step has a node")
        assert _used() == "1"
    finally:
        kubectl("delete", "pod", STEP, "--grace-period=0", "--force")


def _pod(accelerator: Object, placed: Object) -> Object:
    """Builds the pod that KFP's driver makes of the compiled step, with a container that only waits."""
    image = get("servingruntime", "phytoflow-predictor")["spec"]["containers"][0]["image"]
    gpus = {accelerator.get("type") or accelerator["resourceType"]: "1"}
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    amounts = {"cpu": "50m", "memory": "64Mi"} | gpus
    container = {"name": "main", "image": image, "command": ["sleep", "60"], "securityContext": security}
    spec = {
        "nodeSelector": placed["nodeSelector"]["labels"],
        "tolerations": placed["tolerations"],
        "restartPolicy": "Never",
        "containers": [container | {"resources": {"requests": amounts, "limits": amounts}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": STEP}, "spec": spec}

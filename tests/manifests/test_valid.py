"""Objects are what the API takes: asked of a cluster where there is one, else of the clients' own types."""

import os
import subprocess
import uuid
from collections.abc import Iterator

import kubernetes.client
import pytest
import yaml

from tests.manifests.conftest import Build, Object

CASES = [
    ("kustomize/overlays/dev", ()),
    ("kustomize/overlays/staging", ("gpu",)),
    ("kustomize/overlays/prod", ("restricted-egress", "watch", "watch-rollouts")),
    ("manifests/predictor", ()),
    ("manifests/predictor", ("autoscaling-keda",)),
    ("manifests/predictor", ("autoscaling-hpa",)),
    ("manifests/predictor", ("gpu",)),
    ("manifests/gateway", ("ingress",)),
]
CASE = pytest.mark.parametrize(("base", "features"), CASES)


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """A namespace that exists while dry runs are made: the API refuses objects of others."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("no cluster: KUBECONFIG is not set")
    name = f"phytoflow-dry-run-{uuid.uuid4().hex[:6]}"
    subprocess.run(["kubectl", "create", "namespace", name], check=True, capture_output=True)
    yield name
    subprocess.run(["kubectl", "delete", "namespace", name, "--wait=false"], check=True, capture_output=True)


@CASE
def test_a_cluster_takes_it(build: Build, namespace: str, base: str, features: tuple[str, ...]) -> None:
    objects = [found for found in build(base, *features) if found["kind"] != "Namespace"]
    for found in objects:
        if found["kind"] != "PriorityClass":
            found["metadata"]["namespace"] = namespace
    command = ["kubectl", "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-"]
    done = subprocess.run(command, input=yaml.safe_dump_all(objects), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("serverside-applied") == len(objects)


@CASE
def test_every_field_is_one_of_its_kind(build: Build, base: str, features: tuple[str, ...]) -> None:
    checked = [found for found in build(base, *features) if _check_object(found)]
    assert checked or base == "manifests/predictor"


def _check_object(found: Object) -> bool:
    """Checks names of fields, all the way down; kinds that the clients do not know are for a cluster."""
    group, _, version = found["apiVersion"].rpartition("/")
    model = getattr(kubernetes.client, f"{version.upper()}{found['kind']}", None)
    if model is None or group == "serving.kserve.io":
        return False
    _check(found, model.__name__, f"{found['kind']}/{found['metadata']['name']}")
    return True


def _check(value: object, type_name: str, where: str) -> None:
    """``type_name`` is the clients' notation: V1PodSpec, list[V1Container], dict(str, V1X), str, object."""
    if type_name.startswith("list["):
        assert isinstance(value, list), f"{where} is no list"
        for index, item in enumerate(value):
            _check(item, type_name[5:-1], f"{where}[{index}]")
    elif type_name.startswith("dict("):
        assert isinstance(value, dict), f"{where} is no mapping"
        for key, item in value.items():
            _check(item, type_name[5:-1].split(", ")[1], f"{where}.{key}")
    elif model := getattr(kubernetes.client, type_name, None):
        assert isinstance(value, dict), f"{where} is no mapping"
        fields = {model.attribute_map[name]: kind for name, kind in model.openapi_types.items()}
        for key, item in value.items():
            assert key in fields, f"{where} has no field {key!r}"
            _check(item, fields[key], f"{where}.{key}")
    else:
        _check_plain(value, type_name, where)


def _check_plain(value: object, type_name: str, where: str) -> None:
    kinds = {"str": str, "int": int, "bool": bool}
    if type_name in kinds:
        assert isinstance(value, kinds[type_name]), f"{where}: {value!r} is no {type_name}"


@pytest.mark.parametrize("wrong", ["replica", "template.spec.container", "template.spec.containers.imag"])
def test_a_misspelt_field_is_found(build: Build, wrong: str) -> None:
    (deployment,) = [found for found in build("manifests/tracking") if found["kind"] == "Deployment"]
    copy: Object = yaml.safe_load(yaml.safe_dump(deployment))
    place, *rest = copy["spec"], *wrong.split(".")
    for part in rest[:-1]:
        place = place[part][0] if isinstance(place[part], list) else place[part]
    place[rest[-1]] = "x"
    with pytest.raises(AssertionError, match=f"has no field '{rest[-1]}'"):
        _check_object(copy)

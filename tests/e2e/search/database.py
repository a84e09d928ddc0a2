"""A PostgreSQL for the studies of searches, in a namespace of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from phytoflow.deploy.trainjob.environment import STUDY_STORAGE
from tests.e2e.search.checkout import ROOT
from tests.e2e.test_trainjob import kubectl

POSTGRESQL = os.environ.get("PHYTOFLOW_TEST_POSTGRESQL_IMAGE", "localhost/phytoflow/postgresql:test")
PASSWORD = "not-in-any-log"
USER, DATABASE = "tune", "studies"


def address_at(host: str) -> str:
    """The address of the study's database at a host."""
    return f"postgresql://{USER}:{PASSWORD}@{host}/{DATABASE}"


@contextmanager
def study_database(namespace: str) -> Iterator[None]:
    """A new namespace with a PostgreSQL, and a Secret with its address as the pipeline's steps read it."""
    kubectl("create", "namespace", namespace)
    try:
        kubectl(
            "label", "namespace", namespace, "pod-security.kubernetes.io/enforce=privileged", "--overwrite"
        )
        database = {"POSTGRES_DB": DATABASE, "POSTGRES_USER": USER, "POSTGRES_PASSWORD": PASSWORD}
        deployment, service = yaml.safe_load_all((ROOT / "manifests/dev-stores/postgresql.yaml").read_text())
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        container["image"] = POSTGRESQL
        del container["livenessProbe"]  # workers on a small node keep it from answering in time
        secrets = [
            _secret("phytoflow-postgresql", database),
            _secret("phytoflow-s3", {STUDY_STORAGE: address_at("postgresql")}),
        ]
        manifests = yaml.safe_dump_all([*secrets, deployment, service])
        kubectl("-n", namespace, "apply", "-f", "-", given=manifests)
        kubectl("-n", namespace, "rollout", "status", "deployment/postgresql", "--timeout=300s")
        yield
    finally:
        kubectl("delete", "namespace", namespace, "--wait=false")


def _secret(name: str, values: dict[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values}

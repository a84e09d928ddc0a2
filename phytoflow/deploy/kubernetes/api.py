"""One connection to a cluster's API: plain JSON in and out, refusals in words."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException

from phytoflow.deploy.kubernetes.api_errors import refused, unreachable
from phytoflow.errors import DeployError

FIELD_MANAGER = "phytoflow"
Object = dict[str, Any]
"""A Kubernetes object as JSON."""
INFERENCE_SERVICES = "/apis/serving.kserve.io/v1beta1/namespaces/{namespace}/inferenceservices"
DEPLOYMENTS = "/apis/apps/v1/namespaces/{namespace}/deployments"
REPLICA_SETS = "/apis/apps/v1/namespaces/{namespace}/replicasets"
REVISIONS = "/apis/apps/v1/namespaces/{namespace}/controllerrevisions"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
PODS = "/api/v1/namespaces/{namespace}/pods"
SCALED_OBJECTS = "/apis/keda.sh/v1alpha1/namespaces/{namespace}/scaledobjects"
AUTOSCALERS = "/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"
EVENTS = "/api/v1/namespaces/{namespace}/events"

_LOG = logging.getLogger(__name__)
_LOG_GONE = "unable to retrieve container logs"  # a kubelet's answer, with 200, once a container is gone
_TIMEOUT = (5, 30)  # seconds to connect, and to read
# An API server that restarts, or asks for patience, ends no publish.
_RETRIES = urllib3.Retry(total=4, backoff_factor=0.5, status_forcelist=(429, 503), raise_on_status=False)
_APPLY = "application/apply-patch+yaml"
_POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class Cluster:
    """The API of one cluster, in one namespace.

    Args:
        api: Knows address and credentials.
        namespace: Everything happens in it.
    """

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self.namespace = namespace
        self._api = api

    @classmethod
    def connect(cls, namespace: str = "") -> Cluster:
        """Connects as ``KUBECONFIG`` (or ``~/.kube/config``) says, or with the ServiceAccount of this pod.

        Args:
            namespace: Empty: that of the kubeconfig's context, or of this pod.

        Raises:
            DeployError: There is neither.
        """
        settings = client.Configuration()
        try:
            own = _load(settings)
        except ConfigException as error:
            remedy = "set KUBECONFIG to the file that kubectl uses, or run in a pod with a ServiceAccount"
            raise DeployError(f"no cluster is named: {error}", reason="cluster", remedy=remedy) from error
        settings.retries = _RETRIES
        return cls(client.ApiClient(settings), namespace or own)

    def get(self, path: str, name: str, **query: str) -> Object | None:
        """One object; None if it is not there."""
        try:
            return self._json("GET", self._path(path, name), query=query)
        except DeployError as error:
            if error.reason == "absent":
                return None
            raise

    def list(self, path: str, **query: str) -> list[Object]:
        """Objects of a kind, e.g. with ``labelSelector``."""
        return list(self._json("GET", self._path(path), query=query)["items"])

    def apply(self, path: str, body: Object, *, dry_run: bool = False) -> Object:
        """Server-side apply: fields named in ``body`` become so, those that we named before and no longer go.

        Fields set by others stay as they are, unless ``body`` names them too: the publisher decides on what
        it publishes. A dry run only says whether it would be taken.
        """
        query = {"fieldManager": FIELD_MANAGER, "force": "true"} | ({"dryRun": "All"} if dry_run else {})
        return self._json("PATCH", self._path(path, body["metadata"]["name"]), body, query, _APPLY)

    def create(self, path: str, body: Object) -> Object:
        """Makes a new object; DeployError with reason ``conflict`` if there is one of this name."""
        return self._json("POST", self._path(path), body)

    def replace(self, path: str, body: Object) -> Object:
        """Writes an object read before; reason ``conflict`` if somebody else did so in between."""
        return self._json("PUT", self._path(path, body["metadata"]["name"]), body)

    def delete(self, path: str, name: str) -> None:
        """Removes an object and, before it returns to us, nothing else; an absent one is no error."""
        try:
            self._json("DELETE", self._path(path, name), query={"propagationPolicy": "Background"})
        except DeployError as error:
            if error.reason != "absent":
                raise

    def logs(self, pod: str, container: str, *, previous: bool = False, lines: int = 20) -> str:
        """The end of a container's log; empty if there is none."""
        query = {"container": container, "tailLines": str(lines), "previous": str(previous).lower()}
        try:
            said = self.request("GET", self._path(PODS, f"{pod}/log"), query=query).decode(errors="replace")
            return "" if said.startswith(_LOG_GONE) else said
        except DeployError as error:
            _LOG.debug("no log of %s: %s", pod, error)
            return ""

    def ask(self, pod: str, port: int, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Posts to a pod through the API server: it works from inside and outside of the cluster."""
        return self.request("POST", self._path(PODS, f"{pod}:{port}/proxy{path}"), body, headers=headers)

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """One request to the API.

        Raises:
            DeployError: It is refused, or the cluster cannot be reached; says why.
        """
        with _explained(method, path, self._api.configuration.host):
            response = self._api.call_api(
                path,
                method,
                query_params=list((query or {}).items()),
                header_params={"Accept": "application/json, */*"} | dict(headers or {}),
                body=body,
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=_TIMEOUT,
            )
            return bytes(response.data)

    def _json(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        answer = self.request(method, path, body, query=query, headers={"Content-Type": content_type})
        found: Object = json.loads(answer)
        return found

    def _path(self, path: str, name: str = "") -> str:
        return "/".join(filter(None, [path.format(namespace=self.namespace), name]))


@contextmanager
def _explained(method: str, path: str, host: str) -> Iterator[None]:
    try:
        yield
    except ApiException as error:
        raise refused(error.status, error.body, f"{method} {path}") from error
    except urllib3.exceptions.HTTPError as error:
        raise unreachable(host, error) from error


def _load(settings: client.Configuration) -> str:
    """Fills in address and credentials; returns the namespace that goes with them.

    The client's own ``load_config`` prints, and reads ``KUBECONFIG`` only when it is imported.
    """
    file = os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    if os.environ.get("KUBECONFIG") or Path(file).exists():
        config.load_kube_config(config_file=file, client_configuration=settings)
        _, active = config.list_kube_config_contexts(config_file=file)
        return str(active["context"].get("namespace", "default"))
    config.load_incluster_config(client_configuration=settings)
    return _POD_NAMESPACE.read_text().strip()

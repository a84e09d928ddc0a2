"""A connection to one cluster's API in one namespace: JSON objects in and out, readable errors."""

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

from phytoflow.deploy.kubernetes.api_errors import error_from_response, unreachable_error
from phytoflow.errors import DeployError

FIELD_MANAGER = "phytoflow"
Object = dict[str, Any]
"""A Kubernetes object as JSON."""
INFERENCE_SERVICES = "/apis/serving.kserve.io/v1beta1/namespaces/{namespace}/inferenceservices"
DEPLOYMENTS = "/apis/apps/v1/namespaces/{namespace}/deployments"
REVISIONS = "/apis/apps/v1/namespaces/{namespace}/controllerrevisions"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
PODS = "/api/v1/namespaces/{namespace}/pods"
SCALED_OBJECTS = "/apis/keda.sh/v1alpha1/namespaces/{namespace}/scaledobjects"
AUTOSCALERS = "/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"
EVENTS = "/api/v1/namespaces/{namespace}/events"

_LOG = logging.getLogger(__name__)
# The kubelet answers 200 with this text in place of a log once the container is gone.
_NO_LOG = "unable to retrieve container logs"
_TIMEOUT = (5, 30)  # seconds to connect and to read
# A publish survives an API server that restarts (503) or throttles (429): 4 retries wait 7.5 s in total.
_RETRIES = urllib3.Retry(total=4, backoff_factor=0.5, status_forcelist=(429, 503), raise_on_status=False)
_APPLY_PATCH = "application/apply-patch+yaml"
_POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class Cluster:
    """The API of one cluster, restricted to one namespace.

    Args:
        api: Client with address and credentials.
        namespace: Namespace of every request.
    """

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self.namespace = namespace
        self._api = api

    @classmethod
    def connect(cls, namespace: str = "", retries: urllib3.Retry = _RETRIES) -> Cluster:
        """Connects with ``KUBECONFIG``, ``~/.kube/config`` or the ServiceAccount of this pod, in this order.

        Args:
            namespace: Namespace to work in. Empty selects that of the kubeconfig's context or of this pod.
            retries: Policy for requests that fail or are throttled.

        Raises:
            DeployError: No credentials were found (reason ``cluster``).
        """
        settings = client.Configuration()
        try:
            default_namespace = _load_credentials(settings)
        except ConfigException as error:
            remedy = "set KUBECONFIG to the file that kubectl uses, or run in a pod with a ServiceAccount"
            raise DeployError(f"no cluster is named: {error}", reason="cluster", remedy=remedy) from error
        settings.retries = retries
        return cls(client.ApiClient(settings), namespace or default_namespace)

    def get(self, path: str, name: str, **query: str) -> Object | None:
        """Reads one object. Returns None if it does not exist."""
        try:
            return self._request_json("GET", self._path(path, name), query=query)
        except DeployError as error:
            if error.reason == "absent":
                return None
            raise

    def list(self, path: str, **query: str) -> list[Object]:
        """Lists the objects of a kind, optionally filtered, for instance by ``labelSelector``."""
        return list(self._request_json("GET", self._path(path), query=query)["items"])

    def apply(self, path: str, body: Object, *, dry_run: bool = False) -> Object:
        """Applies an object on the server (server-side apply, forced).

        Fields in ``body`` are set. Fields that an earlier apply set and ``body`` lacks are removed. Fields of
        other writers are kept unless ``body`` contains them. A dry run only validates the request.
        """
        query = {"fieldManager": FIELD_MANAGER, "force": "true"} | ({"dryRun": "All"} if dry_run else {})
        return self._request_json(
            "PATCH", self._path(path, body["metadata"]["name"]), body, query, _APPLY_PATCH
        )

    def create(self, path: str, body: Object) -> Object:
        """Creates an object. Raises DeployError with reason ``conflict`` if the name exists."""
        return self._request_json("POST", self._path(path), body)

    def replace(self, path: str, body: Object) -> Object:
        """Replaces an object read before. Raises reason ``conflict`` if it was written in between."""
        return self._request_json("PUT", self._path(path, body["metadata"]["name"]), body)

    def delete(self, path: str, name: str) -> None:
        """Deletes an object. What it owns is garbage-collected later. An absent object is no error."""
        try:
            self._request_json("DELETE", self._path(path, name), query={"propagationPolicy": "Background"})
        except DeployError as error:
            if error.reason != "absent":
                raise

    def logs(self, pod: str, container: str, *, previous: bool = False, lines: int = 20) -> str:
        """Returns the end of a container's log. Empty if there is none.

        Args:
            pod: Pod name.
            container: Container name.
            previous: Read the log of the container's previous run.
            lines: Number of lines.
        """
        query = {"container": container, "tailLines": str(lines), "previous": str(previous).lower()}
        try:
            text = self.request("GET", self._path(PODS, f"{pod}/log"), query=query).decode(errors="replace")
            return "" if text.startswith(_NO_LOG) else text
        except DeployError as error:
            _LOG.debug("no log of %s: %s", pod, error)
            return ""

    def post_to_pod(self, pod: str, port: int, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Posts to a pod through the API server's proxy, which works inside and outside of the cluster."""
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
        """Sends one request to the API and returns the body of the response.

        Raises:
            DeployError: The cluster refuses the request or cannot be reached. The message gives the cause.
        """
        with _translate_errors(method, path, self._api.configuration.host):
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

    def _request_json(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        content = self.request(method, path, body, query=query, headers={"Content-Type": content_type})
        parsed: Object = json.loads(content)
        return parsed

    def _path(self, path: str, name: str = "") -> str:
        return "/".join(filter(None, [path.format(namespace=self.namespace), name]))


@contextmanager
def _translate_errors(method: str, path: str, host: str) -> Iterator[None]:
    try:
        yield
    except ApiException as error:
        raise error_from_response(error.status, error.body, f"{method} {path}") from error
    except urllib3.exceptions.HTTPError as error:
        raise unreachable_error(host, error) from error


def _load_credentials(settings: client.Configuration) -> str:
    """Fills in address and credentials and returns the namespace that belongs to them.

    The client's own ``load_config`` prints, and reads ``KUBECONFIG`` only at import.
    """
    file = os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    if os.environ.get("KUBECONFIG") or Path(file).exists():
        config.load_kube_config(config_file=file, client_configuration=settings)
        _, active = config.list_kube_config_contexts(config_file=file)
        return str(active["context"].get("namespace", "default"))
    config.load_incluster_config(client_configuration=settings)
    return _POD_NAMESPACE.read_text().strip()

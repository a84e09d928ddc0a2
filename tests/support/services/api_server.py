"""A small API server that stores objects as Kubernetes does, with a KServe that creates pods from them.

It speaks the real protocol (server-side apply, resource versions, the pod proxy), so that the order of
writes, conflicts and takeovers are tested without a cluster. What only a cluster can show is in tests/e2e.
"""

from __future__ import annotations

import json
import re
import struct
import threading
import uuid
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from phytoflow.deploy.kubernetes.inference_service import BUNDLE_VERSION, REVISION

Object = dict[str, Any]
Answer = Callable[[str, bytes], list[float]]
"""Takes bundle version and photo and returns probabilities."""


class ApiServer:
    """Stores objects by path.

    Attributes:
        objects: Path without query to object.
        fate: Returns None for an InferenceService that becomes ready, else its container's waiting reason.
        answer: Computes what a pod answers.
        writes: Method and path of every write, in order.
        dry_runs: Objects that were applied by a dry run, in order; they are not stored.
    """

    def __init__(self, answer: Answer) -> None:
        self.objects: dict[str, Object] = {}
        self.fate: Callable[[Object], str | None] = lambda service: None
        self.answer = answer
        self.writes: list[str] = []
        self.dry_runs: list[Object] = []
        self._lock, self._version = threading.Lock(), 0
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def _do(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                status, content = owner.handle(self.command, self.path, self.rfile.read(length), self.headers)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            setattr(Handler, f"do_{method}", Handler._do)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        serve = partial(self._server.serve_forever, poll_interval=0.01)
        threading.Thread(target=serve, daemon=True).start()

    def kubeconfig(self, file: Path) -> Path:
        """Writes a kubeconfig for this server."""
        server = {"server": f"http://127.0.0.1:{self._server.server_port}"}
        context = {"cluster": "c", "user": "u", "namespace": "plants"}
        tree = {"clusters": [{"name": "c", "cluster": server}], "users": [{"name": "u", "user": {}}]}
        tree |= {"contexts": [{"name": "x", "context": context}], "current-context": "x"}  # type: ignore[dict-item]
        file.write_text(yaml.safe_dump(tree))
        return file

    def close(self) -> None:
        """Stops answering."""
        self._server.shutdown()
        self._server.server_close()

    def handle(self, method: str, url: str, body: bytes, headers: Any) -> tuple[int, bytes]:
        """Handles one request and returns status and body."""
        parts = urlsplit(url)
        if "/proxy/" in parts.path:
            return 200, self._predict(parts.path, body, int(headers["Inference-Header-Content-Length"]))
        with self._lock:
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            if query.get("dryRun"):
                self.dry_runs.append(json.loads(body))
                return 200, body
            if method != "GET":
                self.writes.append(f"{method} {parts.path.rsplit('/namespaces/plants/')[-1]}")
            status, answer = self._handle_object(method, parts.path, json.loads(body) if body else {}, query)
        return status, json.dumps(answer).encode()

    def _handle_object(
        self, method: str, path: str, body: Object, query: dict[str, str]
    ) -> tuple[int, Object]:
        if method == "POST":
            path = f"{path}/{body['metadata']['name']}"
        old = self.objects.get(path)
        if method == "GET":
            return (200, old) if old else self._list(path, query)
        if method == "POST" and old:
            return 409, {"message": f"{path} already exists"}
        if method == "DELETE":
            return (200, self._delete(path)) if old else (404, {"message": f"{path} not found"})
        if method == "PUT" and body["metadata"].get("resourceVersion") != old["metadata"]["resourceVersion"]:
            return 409, {"message": "the object has been modified"}
        return 200, self._write(path, body, old)

    def _list(self, path: str, query: dict[str, str]) -> tuple[int, Object]:
        if not path.endswith(("s", "ies")) or path.split("/")[-2] not in ("plants",):
            return 404, {"message": f"{path.rsplit('/', 1)[-1]} not found"}
        key, _, value = query.get("labelSelector", "").partition("=")
        items = [item for at, item in self.objects.items() if at.rpartition("/")[0] == path]
        return 200, {
            "items": [i for i in items if not key or (i["metadata"].get("labels") or {}).get(key) == value]
        }

    def _write(self, path: str, body: Object, old: Object | None) -> Object:
        self._version += 1
        former = (old or {}).get("metadata", {})
        same = old is not None and old.get("spec") == body.get("spec")
        metadata = body["metadata"] | {
            "resourceVersion": str(self._version),
            "uid": former.get("uid", uuid.uuid4().hex),
            "generation": former.get("generation", 0) + (not same),
        }
        new = body | {"metadata": metadata}
        if "/inferenceservices/" in path:
            new["status"] = {"conditions": [{"type": "Ready", "status": "True"}]}
            self._create_pods(path, new)
        self.objects[path] = new
        return new

    def _create_pods(self, path: str, service: Object) -> None:
        """Does at once what KServe and the controllers behind it do."""
        name, annotations = service["metadata"]["name"], service["metadata"]["annotations"]
        fate, revision = self.fate(service), annotations[REVISION]
        labels = {"serving.kserve.io/inferenceservice": name, "app": f"isvc.{name}-predictor"}
        template = {"metadata": {"annotations": {REVISION: revision}, "labels": labels}}
        counts = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": int(fate is None)}
        core = re.sub(r"/apis/.*(/namespaces/[^/]+)/.*", r"/api/v1\1", path)
        apps = core.replace("/api/v1", "/apis/apps/v1")
        self.objects[f"{apps}/deployments/{name}-predictor"] = {
            "metadata": {"name": f"{name}-predictor", "generation": 1, "labels": labels},
            "spec": {"replicas": 1, "template": template},
            "status": counts | {"observedGeneration": 1},
        }
        if fate is None:  # the pods before it are gone
            for at in [at for at in self.objects if f"/pods/{name}-predictor-" in at]:
                del self.objects[at]
        state = {"running": {}} if fate is None else {"waiting": {"reason": fate, "message": "it failed to"}}
        container = {"name": "kserve-container", "ready": fate is None, "state": state, "image": "x"}
        pod = f"{name}-predictor-{revision}"
        self.objects[f"{core}/pods/{pod}"] = {
            "metadata": {"name": pod, "labels": labels, "annotations": annotations},
            "spec": {"containers": [{"name": "kserve-container"}]},
            "status": {"phase": "Running", "containerStatuses": [container]},
        }

    def _delete(self, path: str) -> Object:
        name = path.rpartition("/")[2]
        for at in [at for at in self.objects if f"/{name}-predictor" in at or at == path]:
            del self.objects[at]
        return {}

    def _predict(self, path: str, body: bytes, head: int) -> bytes:
        """Answers as a predictor does in V2."""
        pod = self.objects[path.partition(":8080/")[0]]
        version, rest, rows = pod["metadata"]["annotations"][BUNDLE_VERSION], body[head:], []
        while rest:
            (length,) = struct.unpack("<I", rest[:4])
            rows.append(self.answer(version, rest[4 : 4 + length]))
            rest = rest[4 + length :]
        names = [["label"] for _ in rows]
        outputs = {"probabilities": rows, "labels": names, "scores": [[max(row)] for row in rows]}
        outputs["milliseconds"] = [[1.0] for _ in rows]
        tensors = [
            {
                "name": name,
                "shape": [len(values), len(values[0])],
                "datatype": "FP32",
                "data": [value for row in values for value in row],
            }
            for name, values in outputs.items()
        ]
        return json.dumps({"model_name": "leaf", "model_version": version, "outputs": tensors}).encode()

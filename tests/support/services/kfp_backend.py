"""A small Kubeflow Pipelines backend: as much of its REST API as its own client needs to submit a run."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_API = "/apis/v2beta1"
_TIME = "2026-11-29T00:00:00Z"


@dataclass
class KfpBackend:
    """What was submitted.

    Attributes:
        url: Its address.
        experiments: Names of experiments.
        runs: Bodies of the runs.
        state: State of all runs.
        tasks: Details of the tasks of all runs.
        authorizations: The header of each request; empty if it had none.
    """

    url: str = ""
    experiments: list[str] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    state: str = "RUNNING"
    tasks: list[dict[str, Any]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Answers one request."""
        resource = path.removeprefix(_API).partition("?")[0].strip("/").split("/")[0]
        if method == "POST" and resource == "experiments":
            self.experiments.append(body["display_name"])
            return {"experiment_id": "e1", "display_name": body["display_name"], "created_at": _TIME}
        if resource == "experiments":
            return {"experiments": []}
        if method == "POST" and resource == "runs":
            self.runs.append(body)
        if method == "GET" and path.partition("?")[0].endswith("/runs"):
            numbered = enumerate(self.runs, 1)
            return {"runs": [{"state": self.state} | run | {"run_id": f"r{n}"} for n, run in numbered]}
        if resource == "runs":
            run = self.runs[-1]
            known = {"run_id": f"r{len(self.runs)}", "state": self.state, "created_at": _TIME}
            details = {"run_details": {"task_details": self.tasks}}
            return {**known, **run, **details, "experiment_id": "e1"}
        return {"multi_user": False} if resource == "healthz" else {}


@contextmanager
def kfp_backend() -> Iterator[KfpBackend]:
    """Runs a backend on this machine."""
    backend = KfpBackend()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            backend.authorizations.append(self.headers.get("Authorization", ""))
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            content = json.dumps(backend.answer(self.command, self.path, json.loads(body or "{}"))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    for method in ("GET", "POST"):
        setattr(Handler, f"do_{method}", Handler._answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    backend.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield backend
    finally:
        server.shutdown()
        server.server_close()

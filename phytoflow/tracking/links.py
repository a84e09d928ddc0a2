"""Addresses of MLflow's pages for a run, and the command that opens a local store.

MLflow 3.17 opens on its pages for language models unless the address says ``workflowType=machine_learning``.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

LOCAL_SERVER = "http://127.0.0.1:5000"
"""Where ``mlflow ui`` listens by default."""
_TRAINING = "workflowType=machine_learning"


@dataclass(frozen=True)
class RunPages:
    """MLflow's pages for a run.

    Attributes:
        server: Address of the MLflow server; of ``mlflow ui`` on this machine for a local store.
        experiment_id: MLflow's id of the experiment.
        run_id: MLflow's id of the run.
        command: Shell command that starts the pages of a local store; empty for a server.
    """

    server: str
    experiment_id: str
    run_id: str
    command: str = ""

    @property
    def curves(self) -> str:
        """The run's curves."""
        return f"{self.server}/{self.fragment('model-metrics')}"

    def fragment(self, page: str) -> str:
        """The part of an address after the server, for links between MLflow's pages.

        Args:
            page: E.g. ``model-metrics`` or ``artifacts/evaluation/report.html``.
        """
        run = f"#/experiments/{self.experiment_id}/runs/{self.run_id}"
        return f"{run}/{quote(page)}?{_TRAINING}"


def run_pages(uri: str, folder: Path | None, experiment_id: str, run_id: str) -> RunPages:
    """The pages of a run.

    Args:
        uri: The store.
        folder: The folder of a store that lies in the run's output; None for another store.
        experiment_id: MLflow's id of the experiment.
        run_id: MLflow's id of the run.
    """
    if urlsplit(uri).scheme in ("http", "https"):
        return RunPages(without_secret(uri).rstrip("/"), experiment_id, run_id)
    if folder:
        # From within the folder the address of the database needs no quoting, whatever the folder's name.
        command = f"cd {shlex.quote(str(folder))} && mlflow ui --backend-store-uri sqlite:///mlflow.db"
    else:
        command = f"mlflow ui --backend-store-uri {shlex.quote(without_secret(uri))}"
    return RunPages(LOCAL_SERVER, experiment_id, run_id, command)


def without_secret(uri: str) -> str:
    """The URI without user and password, which belong in no log and on no page."""
    parts = urlsplit(uri)
    return uri.replace(f"{parts.netloc.rpartition('@')[0]}@", "") if "@" in parts.netloc else uri

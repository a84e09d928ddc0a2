"""The model that a run trains, as MLflow 3 knows models.

MLflow's pages list a run among the training runs if it has such a model, and otherwise among the evaluations
of language models. The bundle itself is an artifact of the run; this entry has no files of its own.
"""

from __future__ import annotations

import logging

from phytoflow.tracking.mlflow_client import Store
from phytoflow.tracking.names import model_name

MODEL_TYPE = "phytoflow bundle"
_LOG = logging.getLogger(__name__)


class LoggedModel:
    """The model entry of one run.

    Servers before MLflow 3 have none; training does not depend on it.

    Args:
        store: The store.
        run_id: MLflow's id of the run.
    """

    def __init__(self, store: Store, run_id: str) -> None:
        self._client = store.client
        self._run_id = run_id
        self._started = ""  # id of the model that is pending until the run ends

    def start(self, name: str) -> None:
        """Creates the entry, pending until the run ends; a resumed run keeps the one it has."""
        try:
            self._started = self._existing() or self._create(name)
        except Exception as error:
            _LOG.info("this MLflow server keeps no model entries (%s)", error)

    def finish(self, *, failed: bool) -> None:
        """Ends the pending state."""
        if not self._started:
            return
        try:
            self._client.finalize_logged_model(self._started, "FAILED" if failed else "READY")
        except Exception as error:
            _LOG.info("the model entry of run %s stays pending (%s)", self._run_id, error)
        self._started = ""

    def complete(self, bundle_version: str) -> None:
        """Notes which bundle the model became."""
        try:
            if model := self._existing():
                self._client.set_logged_model_tags(model, {"bundle_version": bundle_version})
        except Exception as error:
            _LOG.info("the model entry of run %s has no bundle version (%s)", self._run_id, error)

    def _existing(self) -> str:
        outputs = self._client.get_run(self._run_id).outputs
        return str(outputs.model_outputs[0].model_id) if outputs and outputs.model_outputs else ""

    def _create(self, name: str) -> str:
        from mlflow.entities import LoggedModelOutput

        experiment = self._client.get_run(self._run_id).info.experiment_id
        model = self._client.create_logged_model(
            experiment, name=model_name(name), source_run_id=self._run_id, model_type=MODEL_TYPE
        )
        self._client.log_outputs(self._run_id, [LoggedModelOutput(model.model_id, step=0)])
        return str(model.model_id)

"""Settings of ``phytoflow watch``: a YAML file, then environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from phytoflow.config.environment import set_from_environment
from phytoflow.config.loader import validate
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.settings_base import Section

ENVIRONMENT_PREFIX = "PHYTOFLOW_WATCH__"
Grade = Literal["harmless", "harmful", "unfamiliar"]
"""Grades of a drift alarm."""
_TRAIN = ("phytoflow", "run", "--data", "{data}", "--output", "{output}", "--set", "serving.publish=false")
_DEPLOY = ("phytoflow", "deploy", "--champion")


class TriggerSettings(Section):
    """What starts something."""

    schedule: str = Field("", description="Five fields of cron in UTC, e.g. 0 3 * * 1; empty: none.")
    data: str = Field("", description="Photos as in `run --data`; a change of them starts a training.")
    gateway: str = Field("", description="URL of the gateway that `corrections` and `drift` ask.")
    token_file: str = Field("", description="File with a token of the gateway that has the scope `review`.")
    corrections: int = Field(
        100, ge=0, description="New accepted corrections that start a training; 0: they start none."
    )
    alertmanager: str = Field("", description="URL of Alertmanager, whose alerts may start a training.")
    alerts: tuple[str, ...] = Field((), description="Names of the alerts that start a training.")
    drift: tuple[Grade, ...] = Field(
        (), description="Grades of the gateway's drift alarm that start a training, e.g. [harmful]."
    )
    champion: bool = Field(False, description="Deploy whenever the registry's champion has moved.")


class LimitSettings(Section):
    """How often something may start."""

    cool_down_hours: float = Field(12, ge=0, description="Least time between the starts of two trainings.")
    trainings_per_day: int = Field(2, ge=1, description="Trainings started within any 24 hours.")
    max_attempts: int = Field(3, ge=1, description="Attempts to finish a training that was interrupted.")
    prepare_attempts: int = Field(
        5, ge=1, description="Attempts at `prepare` before its training is given up."
    )
    prepare_pause_seconds: float = Field(120, ge=0, description="Pause between two attempts at `prepare`.")


class WebhookSettings(Section):
    """Requests that make `watch` look at its triggers at once."""

    address: str = Field("", pattern=r"^(.+:\d+)?$", description="HOST:PORT to listen on; empty: closed.")
    secret_file: str = Field("", description="File with the secret that callers must know.")

    @model_validator(mode="after")
    def _is_guarded(self) -> WebhookSettings:
        if self.address and not self.secret_file:
            raise ValueError("webhook.address needs webhook.secret_file")
        return self


class WatchSettings(Section):
    """Everything that ``phytoflow watch`` needs to know."""

    directory: str = Field("watch", description="Folder of the audit log and of the runs.")
    database: str = Field(
        "", description="SQLAlchemy URL (sqlite+aiosqlite or postgresql+asyncpg); empty: SQLite."
    )
    metrics: str = Field(
        "", pattern=r"^(.+:\d+)?$", description="HOST:PORT of metrics and probes; empty: none."
    )
    every_seconds: float = Field(60, gt=0, description="Pause between two looks at the triggers.")
    triggers: TriggerSettings = TriggerSettings()
    limits: LimitSettings = LimitSettings()
    webhook: WebhookSettings = WebhookSettings()
    prepare: tuple[str, ...] = Field(
        (),
        description="Command before each training, e.g. one that collects corrections; {data}, {output}, "
        "{event}, {key}, {gateway} and {token_file} are replaced, here and below. Empty: none.",
    )
    train: tuple[str, ...] = Field(_TRAIN, min_length=1, description="Command of a training.")
    rollout: tuple[str, ...] = Field(
        (),
        description="Command that rolls out what a training made in {output}, e.g. `phytoflow rollout run "
        "{output}/bundle`. Empty: none.",
    )
    deploy: tuple[str, ...] = Field(_DEPLOY, min_length=1, description="Command of a deployment.")

    @model_validator(mode="after")
    def _is_complete(self) -> WatchSettings:
        triggers = self.triggers
        if triggers.gateway and not triggers.token_file:
            raise ValueError("triggers.gateway needs triggers.token_file")
        if triggers.drift and not triggers.gateway:
            raise ValueError("triggers.drift needs triggers.gateway")
        if bool(triggers.alertmanager) != bool(triggers.alerts):
            raise ValueError("triggers.alertmanager and triggers.alerts belong together")
        if "{data}" in (*self.prepare, *self.train) and not triggers.data:
            raise ValueError("the command of a training names {data}: set triggers.data")
        return self

    @property
    def folder(self) -> Path:
        """The directory, as an absolute path."""
        return Path(self.directory).absolute()

    @property
    def database_url(self) -> str:
        """The database's URL; SQLite in the directory by default."""
        return self.database or f"sqlite+aiosqlite:///{self.folder / 'watch.db'}"


def load_watch_settings(file: Path, environment: Mapping[str, str] = os.environ) -> WatchSettings:
    """Reads the settings.

    Args:
        file: YAML file with keys as in ``WatchSettings``.
        environment: Variables such as ``PHYTOFLOW_WATCH__LIMITS__COOL_DOWN_HOURS``, which win over the file.
            ``PHYTOFLOW_WATCH__DATABASE__FILE`` names the file that holds the URL, e.g. a mounted secret.

    Raises:
        ConfigError: An unreadable file, an unknown key, or a wrong value.
    """
    tree = dict(SettingsOverrides.read(file).tree)
    set_from_environment(tree, ENVIRONMENT_PREFIX, environment)
    return validate(WatchSettings, tree)

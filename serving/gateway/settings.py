"""Settings of the gateway: a YAML file, then environment variables, each on top of the last."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from phytoflow.config.environment import set_from_environment
from phytoflow.config.loader import validate
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.rollout.settings import RolloutSettings
from phytoflow.settings_base import Section, Share

ENVIRONMENT_PREFIX = "PHYTOFLOW_GATEWAY__"


class ServerSettings(Section):
    """Where the gateway listens and how large a request may be."""

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 or :: for all interfaces.")
    port: int = Field(8000, ge=0, le=65535, description="Port; 0: a free one.")
    public_url: str = Field(
        "", description="URL under which browsers reach the gateway; empty: host and port."
    )
    cors_origins: tuple[str, ...] = Field((), description="Origins whose pages may call the API.")
    max_photo_bytes: int = Field(64 * 2**20, gt=0, description="Largest photo in bytes.")
    max_photos: int = Field(16, ge=1, description="Maximum number of photos in one request.")
    max_in_flight_bytes: int = Field(
        256 * 2**20, gt=0, description="Bytes of all requests in progress before more are refused with 503."
    )
    grace_period_seconds: int = Field(
        25, ge=0, description="Longest wait for requests in progress at shutdown."
    )


class UpstreamSettings(Section):
    """The predictors."""

    champion: str = Field(
        "http://127.0.0.1:8080",
        description="URL of the predictor that answers; with /v2/models/NAME at its end if its model has "
        "another name than `model`.",
    )
    challenger: str = Field("", description="URL of a predictor to compare with; empty: none.")
    champion_bundle: str = Field(
        "", description="Folder or URI of the champion's bundle, for its report and model card; empty: none."
    )
    challenger_bundle: str = Field("", description="The same of the challenger.")
    model: str = Field("leaf", description="Name of the model in the predictor's URLs.")
    timeout_seconds: float = Field(30, gt=0, description="Longest wait for an answer.")
    connections: int = Field(64, ge=1, description="Maximum number of connections to one predictor.")


class DatabaseSettings(Section):
    """Where predictions, feedback and API keys are stored."""

    url: str = Field(
        "", description="SQLAlchemy URL (sqlite+aiosqlite or postgresql+asyncpg); empty: SQLite."
    )
    pool_size: int = Field(5, ge=1, description="Connections to PostgreSQL.")


class RedisSettings(Section):
    """Limits and tasks that several replicas share."""

    url: str = Field(
        "", description="redis:// or rediss:// URL; empty: limits and tasks of this machine only."
    )
    timeout_seconds: float = Field(0.5, gt=0, description="Longest wait for an answer of Redis.")


class IssuerSettings(Section):
    """An issuer whose JSON Web Tokens are accepted."""

    issuer: str = Field(description="Value of the claim `iss`.")
    audience: str = Field(description="Value that the claim `aud` must contain.")
    jwks_url: str = Field(
        "", description="URL of the key set; empty: from the issuer's OIDC discovery document."
    )
    scope_claim: str = Field("scope", description="Claim with the granted scopes, a text or a list.")
    default_scopes: tuple[str, ...] = Field(
        ("predict", "feedback"), description="Scopes of a token that carries none of ours."
    )


class SignInSettings(Section):
    """Sign-in to the console by OpenID Connect (authorization code with PKCE)."""

    issuer: str = Field("", description="Issuer of the OIDC provider; empty: one-time links on this machine.")
    client_id: str = Field("", description="Client registered with the provider.")
    client_secret_file: str = Field("", description="File with the client's secret; empty: a public client.")
    reviewers: tuple[str, ...] = Field((), description="Subjects (claim `sub`) that may review.")
    admins: tuple[str, ...] = Field((), description="Subjects that may administer.")


class AuthSettings(Section):
    """Who may ask."""

    issuers: tuple[IssuerSettings, ...] = Field((), description="Accepted issuers besides the local one.")
    local_issuer: bool = Field(True, description="Accept tokens of `phytoflow gateway token`.")
    sign_in: SignInSettings = SignInSettings()
    link_networks: tuple[str, ...] = Field(
        ("127.0.0.0/8", "::1/128"),
        description="Networks whose browsers may sign in by a one-time link of the local issuer.",
    )
    session_hours: float = Field(12, gt=0, description="Lifetime of a console session.")


class LimitSettings(Section):
    """How much each user may ask."""

    photos_per_minute: int = Field(10, ge=1, description="Photos a user may send in any 60 seconds.")
    replicas: int = Field(
        1, ge=1, description="Replicas of the gateway: each one's share while Redis is away."
    )


class LogSettings(Section):
    """The prediction log."""

    flush_seconds: float = Field(
        0.25, gt=0, description="Longest wait before predictions reach the database."
    )
    max_journal_bytes: int = Field(
        512 * 2**20,
        gt=0,
        description="Predictions kept on disk while the database is away; more are dropped.",
    )
    features: bool = Field(
        True, description="Also log the network's features of each photo (float16), to detect drift."
    )
    retention_days: int = Field(365, ge=1, description="Predictions are deleted after this many days.")


class PhotoSettings(Section):
    """Which photos are stored."""

    policy: Literal["none", "feedback", "unknown", "sample", "all"] = Field(
        "feedback",
        description="Photos to store: of corrected, of unknown, of a sample of, or of all predictions.",
    )
    uri: str = Field("", description="Folder or s3:// prefix; empty: `photos` in the gateway's directory.")
    sample: Share = Field(0.01, description="Share of photos stored under the policy `sample`.")
    hold_minutes: int = Field(
        60, ge=1, description="Policy `feedback`: minutes in which a photo waits for a correction."
    )
    retention_days: int = Field(180, ge=1, description="Stored photos are deleted after this many days.")


class TaskSettings(Section):
    """Asynchronous predictions."""

    workers: int = Field(
        1, ge=0, description="Tasks this process works on at once; 0: only other processes do."
    )
    result_seconds: int = Field(3600, ge=1, description="Results can be fetched for this long.")
    lease_seconds: float = Field(
        30, gt=0, description="A task whose worker is silent this long is given to another."
    )
    max_attempts: int = Field(5, ge=1, description="Attempts before a task fails.")
    max_waiting: int = Field(1000, ge=1, description="Waiting tasks before more are refused with 503.")
    worker_metrics: str = Field(
        "",
        pattern=r"^(.+:\d+)?$",
        description="HOST:PORT of the metrics of a worker process; empty: none.",
    )
    webhook_hosts: tuple[str, ...] = Field(
        (), description="Hosts that webhooks may go to; empty: no webhooks."
    )
    webhook_private: bool = Field(
        False, description="Whether the names of webhook hosts may lead to private addresses."
    )
    webhook_secret_file: str = Field(
        "", description="File with the secret that signs webhooks (HMAC-SHA256)."
    )


class MonitoringSettings(Section):
    """Drift of the photos, compared with the reference in the champion's bundle."""

    enabled: bool = Field(True, description="Watch for drift, if upstream.champion_bundle is given.")
    every_seconds: float = Field(5, gt=0, description="Pause between two looks at new predictions.")
    webhook_url: str = Field(
        "",
        description="URL told of alarms; its host must be in tasks.webhook_hosts. Empty: none.",
    )


class RunsSettings(Section):
    """Training runs that the console's Runs page shows."""

    mlflow_url: str = Field("", description="MLflow server, with http:// or https://; empty: none.")
    experiment: str = Field("phytoflow", description="MLflow experiment.")
    registered_model: str = Field("leaf", description="Name of the model in MLflow's registry.")

    @field_validator("mlflow_url")
    @classmethod
    def _is_of_a_server(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0):
            raise ValueError("not the address of a server, such as http://mlflow:5000")
        return url


class GatewaySettings(Section):
    """Everything the gateway needs to know."""

    directory: Path = Field(
        Path("gateway"), description="Folder of the gateway: database, keys, journal, photos."
    )
    server: ServerSettings = ServerSettings()
    upstream: UpstreamSettings = UpstreamSettings()
    database: DatabaseSettings = DatabaseSettings()
    redis: RedisSettings = RedisSettings()
    auth: AuthSettings = AuthSettings()
    limits: LimitSettings = LimitSettings()
    log: LogSettings = LogSettings()
    photos: PhotoSettings = PhotoSettings()
    tasks: TaskSettings = TaskSettings()
    rollout: RolloutSettings = RolloutSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    runs: RunsSettings = RunsSettings()
    prometheus_url: str = Field(
        "", description="Prometheus that the console's System page asks; empty: none."
    )

    @field_validator("auth")
    @classmethod
    def _networks_are_networks(cls, auth: AuthSettings) -> AuthSettings:
        for network in auth.link_networks:
            ipaddress.ip_network(network)  # a ValueError names it
        return auth

    @model_validator(mode="after")
    def _webhooks_are_signed(self) -> GatewaySettings:
        if self.tasks.webhook_hosts and not self.tasks.webhook_secret_file:
            raise ValueError("tasks.webhook_hosts needs tasks.webhook_secret_file")
        url = urlsplit(self.monitoring.webhook_url)
        if url.netloc and not {url.netloc, url.hostname} & set(self.tasks.webhook_hosts):
            raise ValueError("the host of monitoring.webhook_url is not in tasks.webhook_hosts")
        return self

    @property
    def watches_drift(self) -> bool:
        """Whether a drift monitor runs."""
        return self.monitoring.enabled and bool(self.upstream.champion_bundle)

    @property
    def database_url(self) -> str:
        """The database's URL; SQLite in the gateway's directory by default."""
        return self.database.url or f"sqlite+aiosqlite:///{self.directory / 'gateway.db'}"

    @property
    def photo_uri(self) -> str:
        """Where photos are stored."""
        return self.photos.uri or str(self.directory / "photos")


def load_gateway_settings(
    file: Path | None = None, environment: Mapping[str, str] = os.environ
) -> GatewaySettings:
    """Reads the settings.

    Args:
        file: YAML file with sections and keys as in ``GatewaySettings``.
        environment: Variables such as ``PHYTOFLOW_GATEWAY__DATABASE__URL``; their values are YAML. With
            ``__FILE`` at its end a variable names the file that holds the value, e.g. a mounted secret.

    Raises:
        ConfigError: An unknown key, a value out of range, or an unreadable file.
    """
    tree = dict(SettingsOverrides.read(file).tree)
    set_from_environment(tree, ENVIRONMENT_PREFIX, environment)
    return validate(GatewaySettings, tree)

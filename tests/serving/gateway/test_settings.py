"""The gateway's settings: a file, then environment variables, then files that these name."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoflow.errors import ConfigError
from serving.gateway.settings import load_gateway_settings


def test_an_environment_variable_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text("server: {port: 9000, host: '::'}\nlimits: {photos_per_minute: 3}\n")
    environment = {"PHYTOFLOW_GATEWAY__SERVER__PORT": "9001", "PATH": "/bin"}
    settings = load_gateway_settings(file, environment)
    assert (settings.server.port, settings.server.host, settings.limits.photos_per_minute) == (9001, "::", 3)


def test_a_variable_may_name_a_file_that_holds_the_value(tmp_path: Path) -> None:
    secret = tmp_path / "database-url"
    secret.write_text("postgresql+asyncpg://gateway:p@db/gateway\n")
    environment = {"PHYTOFLOW_GATEWAY__DATABASE__URL__FILE": str(secret)}
    assert load_gateway_settings(environment=environment).database_url.endswith(":p@db/gateway")


def test_a_missing_secret_is_named_with_its_variable(tmp_path: Path) -> None:
    variable = "PHYTOFLOW_GATEWAY__REDIS__URL__FILE"
    with pytest.raises(ConfigError, match=variable):
        load_gateway_settings(environment={variable: str(tmp_path / "missing")})


def test_a_setting_whose_name_ends_in_file_is_a_path(tmp_path: Path) -> None:
    environment = {
        "PHYTOFLOW_GATEWAY__TASKS__WEBHOOK_SECRET_FILE": str(tmp_path / "secret"),
        "PHYTOFLOW_GATEWAY__TASKS__WEBHOOK_HOSTS": "[example.org]",
    }
    assert load_gateway_settings(environment=environment).tasks.webhook_secret_file.endswith("secret")


def test_an_unknown_key_and_an_unreadable_file_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    with pytest.raises(ConfigError, match="cannot read"):
        load_gateway_settings(file)
    file.write_text("server: {prot: 9000}\n")
    with pytest.raises(ConfigError, match="prot"):
        load_gateway_settings(file)
    file.write_text("- a\n")
    with pytest.raises(ConfigError, match="not keys and values"):
        load_gateway_settings(file)


def test_a_network_that_is_none_is_named() -> None:
    variable = "PHYTOFLOW_GATEWAY__AUTH__LINK_NETWORKS"
    with pytest.raises(ConfigError, match=r"127\.0\.0\.300"):
        load_gateway_settings(environment={variable: "[127.0.0.300/8]"})


@pytest.mark.parametrize(
    "url", ["mlflow:5000", "sqlite:///mlflow.db", "http://", "http://[", "http://a:99999"]
)
def test_what_is_no_address_of_an_mlflow_server_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="mlflow_url"):
        load_gateway_settings(environment={"PHYTOFLOW_GATEWAY__RUNS__MLFLOW_URL": url})

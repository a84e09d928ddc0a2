"""`phytoflow rollout` before a real gateway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from phytoflow.cli.main import app
from phytoflow.errors import ConfigError, ServingError, StorageError
from phytoflow.stack.layout import Layout
from phytoflow.stack.plan import Plan
from tests.support.golden import BUNDLE
from tests.support.services.gateway import RunningGateway, start_gateway


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway whose predictors are away: rollouts can be begun and ended all the same."""
    running = start_gateway(tmp_path_factory.mktemp("rollout"), "http://127.0.0.1:9")
    yield running
    running.stop()


def call(gateway: RunningGateway, *words: str) -> str:
    place = ["--url", gateway.url, "--directory", str(gateway.directory)]
    done = CliRunner().invoke(app, ["rollout", *words, *place])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_a_rollout_from_start_to_end(gateway: RunningGateway, tmp_path: Path) -> None:
    with pytest.raises(ServingError, match="no rollout"):
        call(gateway, "status")
    (tmp_path / "thresholds.yaml").write_text("min_pairs: 7\n")
    (tmp_path / "wrong.yaml").write_text("min_pars: 7\n")
    with pytest.raises(ConfigError, match="min_pars"):
        call(gateway, "start", "http://127.0.0.1:10", "--thresholds", str(tmp_path / "wrong.yaml"))
    with pytest.raises(ConfigError, match="absent"):
        call(gateway, "start", "http://127.0.0.1:10", "--thresholds", str(tmp_path / "absent"))
    begun = call(gateway, "start", "http://127.0.0.1:10", "--thresholds", str(tmp_path / "thresholds.yaml"))
    assert "stage: shadow, 0% of the users" in begun and "needs 7 more answers" in begun
    with pytest.raises(ServingError, match="in progress"):
        call(gateway, "start", "http://127.0.0.1:11")
    assert "stage: canary, 1%" in call(gateway, "promote")
    assert "promote by phytoflow rollout" in call(gateway, "status")
    assert "stage: aborted, 0%" in call(gateway, "abort")
    assert call(gateway, "replay") == ""  # the gateway itself decided nothing


def test_a_gateway_that_is_away_is_named(gateway: RunningGateway, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no gateway's folder"):
        CliRunner().invoke(
            app, ["rollout", "status", "--directory", str(tmp_path / "none")], catch_exceptions=False
        )
    with pytest.raises(ConfigError, match="no gateway's folder"):
        CliRunner().invoke(app, ["rollout", "status", "--directory", str(tmp_path)], catch_exceptions=False)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "token").write_text("x")
    with pytest.raises(ServingError, match=r"127\.0\.0\.1:9"):
        CliRunner().invoke(
            app,
            ["rollout", "status", "--url", "http://127.0.0.1:9", "--token-file", str(tmp_path / "token")],
            catch_exceptions=False,
        )


def test_the_address_is_that_of_the_folders_stack(tmp_path: Path) -> None:
    Plan("bundle", "127.0.0.1", 9, {}).write(Layout(tmp_path))
    (tmp_path / "token").write_text("x")
    words = ["rollout", "status", "--directory", str(tmp_path), "--token-file", str(tmp_path / "token")]
    with pytest.raises(ServingError, match=r"127\.0\.0\.1:9"):
        CliRunner().invoke(app, words, catch_exceptions=False)


def test_a_whole_rollout_needs_a_stack_that_is_up(tmp_path: Path) -> None:
    """With one, tests/slow/stack/test_renewal.py runs it."""
    words = ["rollout", "run", str(BUNDLE), "--directory", str(tmp_path)]
    with pytest.raises(ConfigError, match="there is no stack"):
        CliRunner().invoke(app, words, catch_exceptions=False)


def test_a_stack_takes_a_bundle_of_this_machine_only(tmp_path: Path) -> None:
    words = ["rollout", "run", "s3://leaves/runs/7/bundle", "--directory", str(tmp_path)]
    outcome = CliRunner().invoke(app, words)
    assert isinstance(outcome.exception, StorageError)
    assert "s3://leaves/runs/7/bundle is not a local path" in str(outcome.exception)

"""Environment variables over a settings file."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoflow.config.environment import set_from_environment
from phytoflow.config.overrides import Tree
from phytoflow.errors import ConfigError

PREFIX = "PHYTOFLOW_WATCH__"


def test_variables_win_and_are_read_as_yaml() -> None:
    tree: Tree = {"limits": {"cool_down_hours": 12, "max_attempts": 3}, "directory": "watch"}
    environment = {
        "PHYTOFLOW_WATCH__LIMITS__COOL_DOWN_HOURS": "0.5",
        "PHYTOFLOW_WATCH__TRIGGERS__DRIFT": "[harmful]",
        "PHYTOFLOW_WATCH__DIRECTORY": "1:2",  # a number of base 60 in YAML
        "PHYTOFLOW_OTHER__DIRECTORY": "other",
    }
    set_from_environment(tree, PREFIX, environment)
    assert tree == {
        "limits": {"cool_down_hours": 0.5, "max_attempts": 3},
        "triggers": {"drift": ["harmful"]},
        "directory": "1:2",
    }


def test_a_mounted_secret(tmp_path: Path) -> None:
    secret = tmp_path / "database-url"
    secret.write_text("postgresql+asyncpg://watch:p@db/gateway\n")
    tree: Tree = {}
    set_from_environment(tree, PREFIX, {"PHYTOFLOW_WATCH__DATABASE__FILE": str(secret)})
    assert tree == {"database": "postgresql+asyncpg://watch:p@db/gateway"}
    missing = {"PHYTOFLOW_WATCH__DATABASE__FILE": str(tmp_path / "missing")}
    with pytest.raises(ConfigError, match="PHYTOFLOW_WATCH__DATABASE__FILE: cannot read"):
        set_from_environment(tree, PREFIX, missing)

"""Which models a running stack serves: champion and challenger."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import httpx

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import ConfigError, ServingError
from phytoflow.stack.control import INTERNAL_PORTS, read_state
from phytoflow.stack.layout import Layout
from phytoflow.stack.plan import PREDICTORS, Plan, Role
from phytoflow.stack.table import MODEL
from phytoflow.system.ports import free_port

_START_SECONDS = 180.0
_POLL_SECONDS = 0.2


def read_plan(layout: Layout) -> Plan:
    """The plan of a stack; raises ConfigError if there is none."""
    if (plan := Plan.read(layout)) is None:
        raise ConfigError(f"there is no stack in {layout.directory}", remedy="phytoflow stack up makes one")
    return plan


def serve(layout: Layout, role: Role, bundle: Path) -> str:
    """Serves a bundle as champion or challenger, and waits until it answers; the same again changes nothing.

    The previous process ends before the new one starts, so nobody may be answered by it meanwhile.

    Args:
        layout: The stack's folder.
        role: Which of the two predictors.
        bundle: Folder of the bundle.

    Returns:
        URL of the predictor.

    Raises:
        BundleError: The folder holds no complete bundle.
        ConfigError: There is no stack, or it is down.
        ServingError: The predictor does not answer with this bundle in time.
    """
    version, folder = Bundle.load(bundle).manifest.version, str(bundle.resolve())
    plan = _change(layout, **({"bundle": folder} if role == "champion" else {"challenger": folder}))
    url = plan.predictor_url(role)
    deadline = time.monotonic() + _START_SECONDS
    while _version(url) != version:
        if time.monotonic() > deadline:
            what = f"{PREDICTORS[role]} did not serve version {version} within {_START_SECONDS:g} s"
            raise ServingError(what, remedy=f"see {layout.log(PREDICTORS[role])}")
        time.sleep(_POLL_SECONDS)
    return url


def end_challenger(layout: Layout) -> None:
    """Ends the challenger's predictor; nothing happens without one."""
    if read_plan(layout).challenger:
        _change(layout, challenger="")


def _change(layout: Layout, **fields: str) -> Plan:
    """Writes a changed plan and tells the supervisor."""
    plan, pid = read_plan(layout), read_state(layout).pid
    if pid is None:
        raise ConfigError(f"the stack in {layout.directory} is down", remedy="phytoflow stack up")
    ports = {name: plan.ports.get(name) or free_port() for name in INTERNAL_PORTS}
    changed = replace(plan, ports=ports, **fields)  # type: ignore[arg-type]
    changed.write(layout)
    os.kill(pid, signal.SIGHUP)  # also for the same plan: an earlier call may have been killed before it
    return changed


def _version(url: str) -> str:
    """The version that a predictor answers with; empty if it is not ready."""
    try:
        with httpx.Client(base_url=url, trust_env=False, timeout=5) as client:
            if client.get(f"/v2/models/{MODEL}/ready").status_code != 200:
                return ""
            versions = client.get(f"/v2/models/{MODEL}").json()["versions"]
    except (httpx.HTTPError, ValueError, KeyError):
        return ""
    return str(versions[0]) if versions else ""

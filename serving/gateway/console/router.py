"""All routes of the console, and its error page."""

from __future__ import annotations

from fastapi import APIRouter

from serving.gateway.console import (
    account,
    assets,
    drift,
    history,
    identify,
    model,
    review,
    sign_in,
    trends,
)
from serving.gateway.console.rollout import section as rollout
from serving.gateway.console.runs import page as runs
from serving.gateway.console.system import page as system

router = APIRouter()
for module in (
    assets,
    sign_in,
    identify,
    history,
    review,
    trends,
    drift,
    model,
    rollout,
    runs,
    system,
    account,
):
    router.include_router(module.router)

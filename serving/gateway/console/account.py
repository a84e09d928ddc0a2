"""The Account page: API keys, quota, export and erasure of one's data."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from serving.gateway.account import erase
from serving.gateway.api.dependencies import ServicesOf
from serving.gateway.auth.principal import SCOPES, Scope
from serving.gateway.console.forms import read_form
from serving.gateway.console.view import View
from serving.gateway.problems import ProblemError

router = APIRouter(include_in_schema=False)
_OFFERED: tuple[Scope, ...] = ("predict", "feedback", "review", "admin")


@router.get("/account")
async def account(request: Request, services: ServicesOf) -> Response:
    """What belongs to the user."""
    return await _page(View(request, services), "")


@router.post("/account/keys")
async def create_key(request: Request, services: ServicesOf) -> Response:
    """Makes an API key and shows it, once."""
    view, form = View(request, services), await read_form(request)
    view.require_csrf(form)
    principal = view.user.principal
    scopes = [scope for scope in _OFFERED if f"scope_{scope}" in form] or ["predict"]
    for scope in scopes:
        principal.require(scope)
    name = form.get("name", "").strip() or "key"
    _, key = await services.authenticator.keys.create(principal.user_id, principal.name, name, scopes)
    return await _page(view, key)


@router.post("/account/keys/revoke")
async def revoke_key(request: Request, services: ServicesOf) -> Response:
    """Revokes an API key."""
    view, form = View(request, services), await read_form(request)
    view.require_csrf(form)
    await services.authenticator.keys.revoke(form.get("id", ""), view.user.principal.user_id)
    return Response(status_code=303, headers={"Location": "/account"})


@router.post("/account/erase")
async def erase_data(request: Request, services: ServicesOf) -> Response:
    """Removes everything that is stored about the user, and signs out."""
    view, form = View(request, services), await read_form(request)
    view.require_csrf(form)
    if form.get("confirm") != "yes":
        raise ProblemError(400, "not_confirmed", "tick the box to confirm")
    await erase(services, view.user.principal.user_id)
    await services.ended_sessions.add(view.user.id)
    response = Response(status_code=303, headers={"Location": "/sign-in"})
    services.authenticator.sessions.end(response)
    return response


async def _page(view: View, new_key: str) -> Response:
    principal, services = view.user.principal, view.services
    granted = [s for s in _OFFERED if s in principal.scopes or "admin" in principal.scopes]
    assert set(_OFFERED) <= set(SCOPES)
    return view.render(
        "account.html",
        keys=await services.authenticator.keys.list(principal.user_id),
        quota=await services.limiter.quota(principal.user_id),
        granted=granted,
        new_key=new_key,
    )

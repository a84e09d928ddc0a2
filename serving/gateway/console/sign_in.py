"""Sign-in: OpenID Connect's code flow with PKCE, or a one-time link on the machine itself."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp
import jwt
from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import IntegrityError

from serving.gateway.api.dependencies import ServicesOf
from serving.gateway.auth.oidc import OidcClient
from serving.gateway.auth.principal import Principal, name_of, read_scopes, user_id_of
from serving.gateway.console.forms import read_form
from serving.gateway.console.view import View, local_target
from serving.gateway.log.tables import UsedCode
from serving.gateway.metrics import SIGN_INS
from serving.gateway.problems import ProblemError
from serving.gateway.services import Services

router = APIRouter(include_in_schema=False)
_COOKIE = "phytoflow-sign-in"


@router.get("/sign-in")
async def sign_in(request: Request, services: ServicesOf, next: str = "/") -> Response:
    """How to sign in here."""
    oidc = bool(services.settings.auth.sign_in.issuer)
    return View(request, services).render("sign_in.html", oidc=oidc, next=local_target(next))


@router.get("/sign-in/link")
async def link(request: Request, services: ServicesOf, code: str = "") -> Response:
    """Signs in by a one-time link, which works once and only from the networks of the settings."""
    if services.local_issuer is None or not _may_use_links(request, services.settings.auth.link_networks):
        raise ProblemError(403, "no_links", "one-time links do not work from this address")
    try:
        claims = services.local_issuer.read_one_time_code(code)
        await _use_once(services, str(claims["jti"]), float(claims["exp"]))  # type: ignore[arg-type]
    except (jwt.InvalidTokenError, IntegrityError) as error:
        SIGN_INS.labels("refused").inc()
        remedy = "`phytoflow gateway link` prints a new one"
        raise ProblemError(401, "link_used", "this link was used or has expired", remedy=remedy) from error
    user_id = user_id_of(services.local_issuer.issuer, str(claims["sub"]))
    principal = Principal(user_id, str(claims["name"]), read_scopes(claims["scope"]), "session")
    return _start(services, principal, "/")


@router.get("/sign-in/start")
async def start(request: Request, services: ServicesOf, next: str = "/") -> Response:
    """Sends the browser to the OIDC provider."""
    client = _client(services)
    verifier, state, nonce = (secrets.token_urlsafe(32) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    settings = services.settings.auth.sign_in
    query = {
        "response_type": "code",
        "client_id": settings.client_id,
        "redirect_uri": _redirect_uri(request, services),
        "scope": "openid profile email",
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    try:
        endpoint = (await client.provider())["authorization_endpoint"]
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
        raise ProblemError(503, "provider_unreachable", "the sign-in provider cannot be reached") from error
    response = Response(status_code=303, headers={"Location": f"{endpoint}?{urlencode(query)}"})
    sessions = services.authenticator.sessions
    sealed = sessions.seal({"verifier": verifier, "state": state, "nonce": nonce, "next": local_target(next)})
    sessions.set(response, _COOKIE, sealed, 600)
    return response


@router.get("/sign-in/callback")
async def callback(request: Request, services: ServicesOf, code: str = "", state: str = "") -> Response:
    """The provider sends the browser back here."""
    fields = services.authenticator.sessions.unseal(request.cookies.get(_COOKIE, ""))
    if fields is None or not code or not secrets.compare_digest(state.encode(), fields["state"].encode()):
        SIGN_INS.labels("refused").inc()
        raise ProblemError(400, "sign_in_failed", "this sign-in was not begun here", remedy="sign in again")
    try:
        claims = await _client(services).exchange(
            code, fields["verifier"], fields["nonce"], _redirect_uri(request, services)
        )
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, jwt.InvalidTokenError) as error:
        SIGN_INS.labels("refused").inc()
        detail = f"the provider's answer was not accepted ({type(error).__name__})"
        raise ProblemError(401, "sign_in_failed", detail, remedy="sign in again") from error
    response = _start(services, _principal(services, claims), fields["next"])
    response.delete_cookie(_COOKIE, path="/")
    return response


@router.post("/sign-out")
async def sign_out(request: Request, services: ServicesOf) -> Response:
    """Ends the session of this browser, and of everybody who has a copy of its cookie."""
    view = View(request, services)
    view.require_csrf(await read_form(request))
    await services.ended_sessions.add(view.user.id)
    response = Response(status_code=303, headers={"Location": "/sign-in"})
    services.authenticator.sessions.end(response)
    return response


def _start(services: Services, principal: Principal, target: str) -> Response:
    SIGN_INS.labels("done").inc()
    response = Response(status_code=303, headers={"Location": target})
    services.authenticator.sessions.start(response, principal)
    return response


def _client(services: Services) -> OidcClient:
    settings = services.settings.auth.sign_in
    if not settings.issuer:
        raise ProblemError(404, "no_provider", "no sign-in provider is configured here")
    return OidcClient(settings)


def _principal(services: Services, claims: dict[str, Any]) -> Principal:
    settings, subject = services.settings.auth.sign_in, str(claims["sub"])
    scopes = {"predict", "feedback"} | read_scopes(claims.get("scope"))
    scopes |= {"review"} if subject in settings.reviewers else set()
    scopes |= {"review", "admin"} if subject in settings.admins else set()
    return Principal(user_id_of(settings.issuer, subject), name_of(claims), frozenset(scopes), "session")


def _redirect_uri(request: Request, services: Services) -> str:
    base = services.settings.server.public_url or str(request.base_url)
    return f"{base.rstrip('/')}/sign-in/callback"


def _may_use_links(request: Request, networks: Iterable[str]) -> bool:
    """Whether the browser's address lies in a network; IPv4 addresses may come in IPv6 form."""
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ipaddress.ip_network(network) for network in networks)


async def _use_once(services: Services, code_id: str, expires: float) -> None:
    """Notes a code as used; IntegrityError if it was used before, by whichever replica."""
    async with services.database.session() as session:
        session.add(UsedCode(id=code_id, expires=datetime.fromtimestamp(expires, UTC)))

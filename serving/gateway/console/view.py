"""Renders the console's pages: session, language, CSRF token, templates."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from fastapi import HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from phytoflow import __version__
from serving.gateway.auth.sessions import Session
from serving.gateway.console.assets import asset_url
from serving.gateway.console.catalogue import COOKIE, Translator, catalogues, choose_language
from serving.gateway.problems import ProblemError
from serving.gateway.sentences import readable
from serving.gateway.services import Services

_TEMPLATES = Path(__file__).with_name("templates")
_YEAR_SECONDS = 365 * 86400


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "readable": readable, "moment": _moment}
    environment.globals |= {"asset": asset_url, "version": __version__}
    return environment


class View:
    """One request to the console.

    Args:
        request: The request.
        services: The services.
    """

    def __init__(self, request: Request, services: Services) -> None:
        self.request, self.services = request, services
        self.session = services.authenticator.sessions.read(request)
        self.translate = Translator(choose_language(request))

    @property
    def user(self) -> Session:
        """The session; sends a browser without one to the sign-in page."""
        if self.session is None:
            self._sign_in()
        return self.session

    @property
    def is_fragment(self) -> bool:
        """Whether a script asks for a part of a page."""
        return "hx-request" in self.request.headers

    def require_csrf(self, form: Mapping[str, Any]) -> None:
        """Refuses a post that did not come from this session's own pages; raises ProblemError 403."""
        given = str(form.get("csrf", "")) or self.request.headers.get("x-csrf-token", "")
        if not hmac.compare_digest(given.encode(), self.user.csrf_token.encode()):
            raise ProblemError(
                403, "csrf", "this form is out of date", remedy="reload the page and try again"
            )

    def render(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A page, or a fragment of one."""
        session = self.session
        shared = {
            "_": self.translate,
            "language": self.translate.language,
            "languages": sorted(catalogues()),
            "session": session,
            "principal": session.principal if session else None,
            "csrf": session.csrf_token if session else "",
            "path": self.request.url.path,
        }
        page = _environment().get_template(template).render(shared | values)
        response = HTMLResponse(page, status)
        response.headers["Cache-Control"] = "no-store"
        self._remember_language(response)
        return response

    def _remember_language(self, response: Response) -> None:
        chosen = self.request.query_params.get("language")
        if chosen in catalogues():
            response.set_cookie(COOKIE, str(chosen), max_age=_YEAR_SECONDS, samesite="lax", httponly=True)

    def _sign_in(self) -> NoReturn:
        target = self.request.url.path if self.request.method == "GET" else "/"
        location = f"/sign-in?next={quote(target)}"
        headers = {"HX-Redirect": location} if self.is_fragment else {"Location": location}
        raise HTTPException(401 if self.is_fragment else 303, "sign in first", headers)


def render_problem(request: Request, problem: ProblemError) -> Response | None:
    """A problem as a page, for browsers that are on the console's pages."""
    wants_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/")
    if not wants_page or "location" in {name.lower() for name in problem.headers}:
        return _redirect(problem) if wants_page else None
    response = View(request, request.app.state.services).render(
        "problem.html", status=problem.status, problem=problem
    )
    response.headers.update(problem.headers)
    return response


def _redirect(problem: ProblemError) -> Response:
    return Response(status_code=problem.status, headers=problem.headers)


def local_target(target: str) -> str:
    """A path of this site; anything that leads elsewhere becomes the start page."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\")) and "\\" not in target
    return target if plain and target.isprintable() else "/"


def _percent(share: float | None) -> str:
    """Whole per cent; what is rounded to nothing or to everything is said to be less."""
    if share is None:
        return "–"
    if 0 < share < 0.005:
        return "< 1 %"
    return "> 99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")

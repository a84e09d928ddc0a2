"""The caller's own API keys and data."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from serving.gateway import account
from serving.gateway.api.dependencies import Caller, ServicesOf
from serving.gateway.api.openapi import problems
from serving.gateway.log.text import PrintableText
from serving.gateway.problems import ProblemError

router = APIRouter(prefix="/account", tags=["account"])


class KeyRequest(BaseModel, extra="forbid"):
    """An API key to be made."""

    name: PrintableText = Field(min_length=1, max_length=100, description="What the key is for.")
    scopes: list[Literal["predict", "feedback", "review", "admin"]] = Field(["predict"], min_length=1)
    days: int | None = Field(None, ge=1, le=3650, description="Lifetime; null: until revoked.")


class KeyAnswer(BaseModel):
    """An API key without its secret."""

    id: str
    name: str
    scopes: list[str]
    created: datetime
    expires: datetime | None
    revoked: datetime | None


class NewKeyAnswer(KeyAnswer):
    """A new API key."""

    key: str = Field(description="The key. It is shown once and cannot be had again.")


class WhoAnswer(BaseModel):
    """The caller."""

    user_id: str
    name: str
    scopes: list[str]


class ErasedAnswer(BaseModel):
    """What was removed."""

    predictions: int
    photos: int
    feedback: int
    api_keys: int


@router.get("", responses=problems())
async def who(caller: Caller) -> WhoAnswer:
    """Who the caller is."""
    return WhoAnswer(user_id=caller.user_id, name=caller.name, scopes=sorted(caller.scopes))


@router.get("/keys", responses=problems())
async def list_keys(caller: Caller, services: ServicesOf) -> list[KeyAnswer]:
    """One's own API keys, newest first."""
    return [_answer(row) for row in await services.authenticator.keys.list(caller.user_id)]


@router.post("/keys", status_code=201, responses=problems(400))
async def create_key(body: KeyRequest, caller: Caller, services: ServicesOf) -> NewKeyAnswer:
    """Makes an API key; it may do no more than the caller may."""
    for scope in body.scopes:
        caller.require(scope)
    row, key = await services.authenticator.keys.create(
        caller.user_id, caller.name, body.name, body.scopes, body.days
    )
    return NewKeyAnswer(**_answer(row).model_dump(), key=key)


@router.delete("/keys/{key_id}", status_code=204, responses=problems(404))
async def revoke_key(
    key_id: Annotated[str, Path(pattern="^[0-9a-f]{12}$")], caller: Caller, services: ServicesOf
) -> Response:
    """Revokes one of one's own API keys."""
    if not await services.authenticator.keys.revoke(key_id, caller.user_id):
        raise ProblemError(404, "no_such_key", "there is no valid key of this id")
    return Response(status_code=204)


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses=problems() | {200: {"content": {"application/x-ndjson": {}}}},
)
async def export(caller: Caller, services: ServicesOf) -> StreamingResponse:
    """Everything that is stored about the caller, one JSON object a line."""
    headers = {"Content-Disposition": "attachment; filename=phytoflow-account.ndjson"}
    lines = account.export(services, caller.user_id)
    return StreamingResponse(lines, media_type="application/x-ndjson", headers=headers)


@router.delete("/data", responses=problems())
async def erase(caller: Caller, services: ServicesOf) -> ErasedAnswer:
    """Removes everything that is stored about the caller, API keys included."""
    return ErasedAnswer(**await account.erase(services, caller.user_id))


def _answer(row: object) -> KeyAnswer:
    fields = {name: getattr(row, name) for name in ("id", "name", "created", "expires", "revoked")}
    return KeyAnswer(**fields, scopes=getattr(row, "scopes", "").split())

"""The page of the gateway's API, from its OpenAPI document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scripts.generate_docs.markdown import NOTE, cell, table, value
from serving.gateway.app import create_app
from serving.gateway.settings import GatewaySettings

_INTRODUCTION = """# Gateway API

Applications call the gateway with `Authorization: Bearer TOKEN`; the token is a JSON Web Token or an API key.
[Use the gateway](../how-to/gateway.md) has examples. A running gateway serves the source of this page at
`/openapi.json` and an interactive version at `/docs`, which needs no access to the internet.

Errors are problem documents (RFC 9457). `detail` says what is wrong with the request, `reason` is a stable
name for programs, `remedy` says what to do, and `photo` names the photo it is about. 429 and 503 carry
`Retry-After`. Every answer that counts against the limit carries `RateLimit` and `RateLimit-Policy`. Objects
of other users are answered as if they did not exist, with 404.
"""
_REPLACED = ("HTTPValidationError", "ValidationError")  # FastAPI's own, which the gateway never gives


def gateway_api() -> str:
    """Every call with its parameters and answers, then every object."""
    with TemporaryDirectory() as folder:
        document = create_app(GatewaySettings(directory=Path(folder))).openapi()
    sections: dict[str, list[str]] = defaultdict(list)
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            sections[call["tags"][0]].append(_call(f"{method.upper()} {path}", call))
    calls = (f"## {tag.capitalize()}\n\n" + "\n".join(texts) for tag, texts in sections.items())
    schemas = document["components"]["schemas"].items()
    objects = (_object(name, schema) for name, schema in schemas if name not in _REPLACED)
    return "\n".join([NOTE, _INTRODUCTION, *calls, "## Objects\n", *objects])


def _call(name: str, call: dict[str, Any]) -> str:
    meaning = " ".join(call.get("description", "").split())
    rows = [
        [f"`{p['name']}`", p["in"], _type(p["schema"]), _default(p["schema"]), cell(p.get("description", ""))]
        for p in call.get("parameters", [])
    ]
    parameters = "\n" + table(["parameter", "in", "type", "default", "meaning"], rows) if rows else ""
    answers = ", ".join(_answers(call["responses"]))
    body = "".join(f"Body: {kind}. " for kind in [", ".join(_bodies(call))] if kind)
    return f"### `{name}`\n\n{cell(meaning)} {body}Answers: {answers}.\n{parameters}"


def _bodies(call: dict[str, Any]) -> Iterator[str]:
    for kind, content in call.get("requestBody", {}).get("content", {}).items():
        schema = content["schema"]
        fields = ", ".join(f"`{name}`" for name in schema.get("properties", {}))
        named = _type(schema) if "$ref" in schema else fields
        yield f"`{kind}`" + (f" with {named}" if named else "")


def _answers(responses: dict[str, Any]) -> Iterator[str]:
    for status, response in sorted(responses.items()):
        if "HTTPValidationError" in str(response):  # a problem of status 400
            continue
        contents = response.get("content", {})
        if "application/problem+json" in contents:
            yield status
            continue
        schema = contents.get("application/json", {}).get("schema", {})
        kinds = ", ".join(f"`{kind}`" for kind in contents if kind != "application/json")
        named = _type(schema) if schema else kinds
        yield f"{status} ({named})" if named else status


def _object(name: str, schema: dict[str, Any]) -> str:
    rows = [
        [f"`{key}`", _type(field), _default(field), cell(field.get("description", ""))]
        for key, field in schema.get("properties", {}).items()
    ]
    meaning = " ".join(schema.get("description", "").split())
    return f"### {name}\n\n{cell(meaning)}\n\n" + table(["field", "type", "default", "meaning"], rows)


def _type(schema: dict[str, Any]) -> str:
    """The type of a schema in a few words, with a link if it is an object of this page."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if options := schema.get("anyOf"):
        return " or ".join(map(_type, options))
    if values := schema.get("enum"):
        return ", ".join(f"`{one}`" for one in values)
    if "const" in schema:
        return f"`{schema['const']}`"
    kind = schema.get("format") or schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if isinstance(more := schema.get("additionalProperties"), dict) and more:
        return f"object of {_type(more)}"
    low, high = schema.get("minimum"), schema.get("maximum")
    return f"{kind}, {low:g} to {high:g}" if low is not None and high is not None else kind


def _default(schema: dict[str, Any]) -> str:
    return value(schema["default"]) if "default" in schema else ""

"""The API's reference as one page of HTML, made from the OpenAPI document.

Swagger UI and its kind load their programs from another host, or run scripts in our origin, next to the session cookie.
This page has no script and needs nothing.
"""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router = APIRouter()

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2733}
h2{margin-top:2.5rem;text-transform:capitalize}section{border-top:1px solid #d5dde5;padding:.6rem 0}
code{font:13px ui-monospace,monospace}b{display:inline-block;width:4.5rem}table{border-collapse:collapse}
td{padding:.1rem 1rem .1rem 0;vertical-align:top}small{color:#5b6b7b}
"""
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}


@router.get("/v1/docs", include_in_schema=False)
def reference(request: Request) -> HTMLResponse:
    """Show the reference."""
    return HTMLResponse(render(request.app.openapi()), headers=_HEADERS)


def render(document: Mapping[str, Any]) -> str:
    """Return the page for an OpenAPI document."""
    title = escape(f"{document['info']['title']} API {document['info']['version']}")
    intro = "".join(f"<p>{escape(part)}</p>" for part in document["info"]["description"].strip().splitlines() if part)
    return "\n".join(
        [
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>",
            f"<h1>{title}</h1>{intro}<p>For programs: <a href=openapi.json>openapi.json</a></p>",
            *_operations(document),
            "<h2>Schemas</h2>",
            *(_schema(name, schema) for name, schema in sorted(document["components"]["schemas"].items())),
        ]
    )


def _operations(document: Mapping[str, Any]) -> Iterator[str]:
    by_tag: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            section = _operation(method.upper(), path, operation)
            by_tag.setdefault(operation.get("tags", ["other"])[0], []).append(section)
    for tag, sections in by_tag.items():
        yield f"<h2>{escape(tag)}</h2>"
        yield from sections


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    scopes = {scope for way in operation.get("security", []) for names in way.values() for scope in names}
    needs = f"needs <code>{escape(', '.join(sorted(scopes)))}</code>" if scopes else "for everybody"
    parameters = [
        (f"{parameter['in']} <code>{escape(parameter['name'])}</code>", parameter.get("schema", {}))
        for parameter in operation.get("parameters", [])
    ]
    body = [("body", content["schema"]) for content in operation.get("requestBody", {}).get("content", {}).values()]
    answers = [
        (f"answer {status}", content.get("schema", {}))
        for status, response in operation["responses"].items()
        for content in response.get("content", {}).values()
        if status != "default"
    ]
    return (
        f"<section id='{escape(operation['operationId'])}'><b>{method}</b><code>{escape(path)}</code>"
        f" <small>{needs}</small><p>{escape(operation.get('description', ''))}</p>"
        f"{_table([*parameters, *body, *answers])}</section>"
    )


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    required = schema.get("required", [])
    rows = [
        (f"<code>{escape(key)}</code>{'' if key in required else ' <small>optional</small>'}", value)
        for key, value in schema.get("properties", {}).items()
    ]
    return (
        f"<section id='schema-{escape(name)}'><code>{escape(name)}</code> {escape(schema.get('description', ''))}"
        f"{_table(rows) if rows else f'<p>{_type(schema)}</p>'}</section>"
    )


def _table(rows: list[tuple[str, Mapping[str, Any]]]) -> str:
    cells = (f"<tr><td>{left}<td>{_type(s)}<td>{escape(s.get('description', ''))}" for left, s in rows)
    return f"<table>{''.join(cells)}</table>"


def _type(schema: Mapping[str, Any]) -> str:
    """Say in a few words what values a schema takes."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f"<a href='#schema-{name}'>{name}</a>"
    if "anyOf" in schema or "oneOf" in schema:
        return " or ".join(_type(option) for option in schema.get("anyOf") or schema["oneOf"])
    if "enum" in schema:
        return escape(" | ".join(map(str, schema["enum"])))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(str(schema.get("format") or schema.get("const") or schema.get("type", "any")))

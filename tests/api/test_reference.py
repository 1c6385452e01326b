"""The reference page."""

from typing import Any

from api.reference import render

DOCUMENT: dict[str, Any] = {
    "info": {"title": "T", "version": "1", "description": "Hello."},
    "paths": {
        "/things": {
            "post": {
                "operationId": "make",
                "tags": ["things"],
                "description": "<script>alert(1)</script>",
                "security": [{"token": ["things:write"]}, {"session": ["things:write"]}],
                "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer"}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                "responses": {"200": {"content": {"application/json": {"schema": {"type": "array", "items": {}}}}}},
            }
        }
    },
    "components": {
        "schemas": {
            "Thing": {
                "description": "A thing.",
                "required": ["id"],
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "end": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
                },
            },
            "Colour": {"enum": ["red", "blue"]},
        }
    },
}


def test_a_route_shows_what_it_takes_gives_and_needs() -> None:
    """Scopes, parameters, body and answer, with links to the schemas."""
    page = render(DOCUMENT)

    assert "needs <code>things:write</code>" in page
    assert "query <code>limit</code><td>integer" in page
    assert "<a href='#schema-Thing'>Thing</a>" in page
    assert "list of any" in page
    assert "<section id='schema-Thing'>" in page
    assert "date-time or null" in page
    assert "red | blue" in page


def test_text_of_the_document_is_text_on_the_page() -> None:
    """Whatever a description holds, no markup comes of it."""
    assert "<script" not in render(DOCUMENT)

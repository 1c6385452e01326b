"""The OpenAPI 3.1 document."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import MEDIA_TYPE, Problem

_DEFAULT = {
    "description": "Any error, as a problem document (RFC 9457)",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {"default": {"description": _DEFAULT["description"]}}
"""Given to each router: it keeps FastAPI from announcing its own validation errors, which nobody gets to see."""


class DescribedApp(FastAPI):
    """A FastAPI whose document says what errors look like."""

    def openapi(self) -> dict[str, Any]:
        """Return the document; built once."""
        if self.openapi_schema is None:
            self.openapi_schema = _describe(self)
        return self.openapi_schema


def _describe(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"]["default"] = _DEFAULT
    return document

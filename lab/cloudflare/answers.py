"""The envelope around every answer."""

import math
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Body, Query

Fields = Annotated[dict[str, Any], Body()]
Page = Annotated[int, Query(ge=1)]


def envelope(result: Any, **more: Any) -> dict[str, Any]:
    """A successful answer."""
    return {"result": result, "success": True, "errors": [], "messages": [], **more}


def failure(code: int, message: str) -> dict[str, Any]:
    """A failed answer."""
    error = {"code": code, "message": message}
    return {"result": None, "success": False, "errors": [error], "messages": []}


def page_of(items: Sequence[Any], page: int, per_page: int) -> dict[str, Any]:
    """One page of a list, with the ``result_info`` that the SDK turns pages by."""
    chosen = items[(page - 1) * per_page : page * per_page]
    info = {
        "page": page,
        "per_page": per_page,
        "count": len(chosen),
        "total_count": len(items),
        "total_pages": math.ceil(len(items) / per_page),
    }
    return envelope(chosen, result_info=info)

"""What a browser's form sends."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from pydantic import BaseModel, StringConstraints, ValidationError

from api.errors import InvalidInput

CSRF_FIELD = "csrf_token"
_MAX_FIELDS = 200
_FORM = "application/x-www-form-urlencoded"
Model = TypeVar("Model", bound=BaseModel)

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]
"""Why somebody does something; it goes into the audit trail."""


async def read_form(request: Request) -> Mapping[str, str]:
    """Return the fields of an urlencoded form, the last of each name; nothing for a read.

    Raises:
        InvalidInput: if the body is no form.
    """
    if request.method in {"GET", "HEAD"}:
        return {}
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise InvalidInput("send the page's form")
    try:
        text = (await request.body()).decode()
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict"))
    except ValueError:
        raise InvalidInput("the form cannot be read: send it again from its page") from None


FormDep = Annotated[Mapping[str, str], Depends(read_form)]


def parse(model: type[Model], form: Mapping[str, Any]) -> Model:
    """Check a form.

    Raises:
        InvalidInput: naming the first field that is wrong, in words for whoever filled it in.
    """
    fields = {name: value for name, value in form.items() if name != CSRF_FIELD and value != ""}
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"])).replace("_", " ") or "the form"
        raise InvalidInput(f"{field}: {first['msg'].removeprefix('Value error, ')}") from None

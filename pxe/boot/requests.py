"""Reads what machines send: bearers, bodies and forms, all bounded in size and time."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl

import anyio
from fastapi import Depends, Request

from api.errors import InvalidInput, PayloadTooLarge, Unauthenticated

_BODY_SECONDS = 30.0
_MAX_FIELDS = 20
_MAX_TOKEN = 200


async def bearer(request: Request) -> str:
    """Return the token or session that a request shows (RFC 6750).

    Raises:
        Unauthenticated: if there is none.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret or len(secret) > _MAX_TOKEN:
        raise Unauthenticated("send 'Authorization: Bearer' with what the boot script or the plan gave you")
    return secret


async def body_of(request: Request, limit: int) -> bytes:
    """Return a body.

    Raises:
        PayloadTooLarge: if it has more than ``limit`` bytes.
        InvalidInput: if it does not come to its end in 30 seconds.
    """
    parts, size = [], 0
    try:
        with anyio.fail_after(_BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise PayloadTooLarge(f"this takes at most {limit} bytes")
                parts.append(part)
    except TimeoutError:
        raise InvalidInput(f"the body did not arrive within {_BODY_SECONDS:g} seconds") from None
    return b"".join(parts)


async def form_of(request: Request) -> Mapping[str, str]:
    """Return the fields of an urlencoded form, the last of each name. The media type is not looked at: wget's is right.

    Raises:
        InvalidInput: if the body is no form.
        PayloadTooLarge: if it is too large for one.
    """
    raw = await body_of(request, 16 * 1024)
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="replace")
    except ValueError:
        raise InvalidInput("send an urlencoded form of few fields") from None
    return dict(pairs)


BearerDep = Annotated[str, Depends(bearer)]
FormDep = Annotated[Mapping[str, str], Depends(form_of)]

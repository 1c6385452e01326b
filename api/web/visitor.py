"""Who looks at a page, and what they may do there.

A page says whom it is for in its signature::

    def list_nodes(visitor: Annotated[Visitor, require_visitor(Role.SUPPORT)]) -> Response:
"""

from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request

from api.auth.authentication import Authenticator
from api.auth.caller import Principal
from api.auth.cookies import session_token_of
from api.auth.credentials import csrf_token_of, matches
from api.auth.errors import AccountSuspended, CsrfTokenRequired
from api.auth.models import Role
from api.auth.staff import check_customer, check_role, is_staff, may
from api.errors import Unauthenticated
from api.limits import LimitsDep, client_address
from api.runtime import RuntimeDep
from api.web.forms import CSRF_FIELD, FormDep

REFRESH_HEADER = "X-Refresh"
"""Sent by our script when it asks by itself: nobody pressed anything."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A member of staff, or a customer, at a browser."""

    principal: Principal
    csrf_token: str = field(repr=False)

    def may(self, role: str) -> bool:
        """Tell whether they reach as far as ``role``; templates ask before they show a button."""
        return may(self.principal.role, Role(role))


@dataclass(frozen=True, slots=True)
class VisitorCheck:
    """The dependency behind ``require_visitor``; tests find a page's role by it.

    ``CUSTOMER`` is for customers alone: staff's accounts have no business on a customer's pages.
    """

    needed: Role

    def __call__(self, request: Request, runtime: RuntimeDep, limits: LimitsDep, form: FormDep) -> Visitor:
        """Return the visitor; only the session's cookie counts here, never a token.

        Raises:
            Unauthenticated: without a good session.
            AccountSuspended: if the account is.
            RoleRequired: if the account's role does not reach so far; a customer's reaches none of staff's pages.
            CsrfTokenRequired: if a form does not prove that it comes from a page of ours.
            RateLimited: if the minute's share is used.
        """
        token = session_token_of(request, runtime.settings)
        caller = None
        if token is not None:
            with runtime.database.transaction() as transaction:
                is_use = REFRESH_HEADER not in request.headers
                caller = Authenticator(transaction.session).by_session(token, is_use=is_use)
        if caller is None or token is None:
            limits.count_request(f"address:{client_address(request)}")
            raise Unauthenticated("log in first")
        limits.count_request(f"session:{caller.principal.credential_id}")
        visitor = Visitor(caller.principal, csrf_token_of(token))
        if is_staff(caller.principal.role) is is_staff(self.needed):
            request.state.visitor = visitor  # so that a refusal still shows the menu
        if caller.is_suspended:
            whom = "an administrator" if is_staff(caller.principal.role) else "our support"
            raise AccountSuspended(f"this account is suspended: ask {whom}")
        check_role(caller.principal.role, self.needed)
        if not is_staff(self.needed):
            check_customer(caller.principal.role)
        if request.method == "POST" and not matches(form.get(CSRF_FIELD, ""), caller.csrf_hash or b""):
            raise CsrfTokenRequired("this form was not sent from its page, or was made for another login: try again")
        return visitor


def require_visitor(needed: Role) -> Any:
    """Declare whom a page is for: staff of at least this role, or customers; for ``Annotated[Visitor, …]``."""
    return Depends(VisitorCheck(needed))


Owner = Annotated[Visitor, require_visitor(Role.CUSTOMER)]
"""A customer; what belongs to them is for each page to ask."""

Support = Annotated[Visitor, require_visitor(Role.SUPPORT)]
Operator = Annotated[Visitor, require_visitor(Role.OPERATOR)]
Admin = Annotated[Visitor, require_visitor(Role.ADMIN)]

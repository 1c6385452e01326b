"""What can go wrong with accounts and credentials."""

from api.errors import Conflict, Forbidden, Unauthenticated


class WrongCredentials(Unauthenticated):
    """Address and password do not belong together; which of the two is wrong is not told."""

    code = "wrong_credentials"
    title = "Wrong email or password"


class AccountSuspended(Forbidden):
    """The account is suspended."""

    code = "account_suspended"
    title = "This account is suspended"


class MissingScope(Forbidden):
    """The token does not carry the scope that is needed."""

    code = "missing_scope"
    title = "The token's scopes do not allow this"


class RoleRequired(Forbidden):
    """The account's role does not reach so far."""

    code = "role_required"
    title = "Your role does not allow this"


class CsrfTokenRequired(Forbidden):
    """A cookie alone does not prove that our page sent the request."""

    code = "csrf_token_required"
    title = "CSRF token missing or wrong"


class SessionRequired(Forbidden):
    """Only a browser's session can do this, not a token."""

    code = "session_required"
    title = "Needs a login session"


class EmailTaken(Conflict):
    """There is an account with this address.

    Registration tells, which lets a stranger test addresses, at the pace of the login limit. Hiding it needs a mail to
    every address that registers; the customer's gain, knowing at once why it does not work, was judged greater.
    """

    code = "email_taken"
    title = "There is an account with this email address"


class NameTaken(Conflict):
    """The account has such a thing by that name already."""

    code = "name_taken"
    title = "Already there"


class TooMany(Conflict):
    """The account holds as many as it may."""

    code = "too_many"
    title = "The account's limit is reached"

"""Our account at a BMC."""

from pydantic import SecretStr


class Login:
    """User and password; the password may be replaced while the driver lives.

    Attributes:
        user: never changes: it is what tells our account from others.
    """

    def __init__(self, user: str, password: SecretStr) -> None:
        self.user, self._password = user, password

    @property
    def password(self) -> str:
        """In clear, to be sent to the BMC."""
        return self._password.get_secret_value()

    def renew(self, password: SecretStr) -> None:
        """Log in with another one from now on."""
        self._password = password

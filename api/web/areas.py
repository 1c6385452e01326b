"""The two halves of the pages: staff's under ``/admin``, and customers' own under ``/my``. Nobody is let into both."""

import re
from dataclasses import dataclass, field

from api.auth.models import Role
from api.web.navigation import CUSTOMERS_MENU, NAVIGATION, Entry

_PATH = r"(/[A-Za-z0-9/_-]*)?(\?[A-Za-z0-9&=%+._~:-]*)?"


@dataclass(frozen=True, slots=True)
class Area:
    """A half of the pages.

    Attributes:
        prefix: with which its addresses begin, and which is the address of its first page.
        least: the least role that gets in.
        first_page: what people call its first page.
        audience: said above its login.
        others_login: where those go who do not belong here. Customers are not told of staff's, which may be kept off
            the public network.
    """

    prefix: str
    least: Role
    first_page: str
    audience: str
    navigation: tuple[tuple[str, tuple[Entry, ...]], ...] = field(repr=False)
    others_login: str | None = None

    @property
    def login(self) -> str:
        """The address of its login."""
        return f"{self.prefix}/login"

    def holds(self, path: str) -> bool:
        """Tell whether a path, or an address without its host, is of this half."""
        return path == self.prefix or path.startswith(f"{self.prefix}/")

    def leads_here(self, address: str) -> bool:
        """Tell whether an address that a browser sent is one of these pages, and so safe to send it back to."""
        return re.fullmatch(re.escape(self.prefix) + _PATH, address) is not None


STAFF = Area(
    prefix="/admin",
    least=Role.SUPPORT,
    first_page="dashboard",
    audience="For staff. A session ends after half an hour without use.",
    navigation=NAVIGATION,
    others_login="/my/login",
)
CUSTOMERS = Area(
    prefix="/my",
    least=Role.CUSTOMER,
    first_page="list of your workloads",
    audience="For customers: what you have ordered, and how it is.",
    navigation=CUSTOMERS_MENU,
)


def area_of(path: str) -> Area | None:
    """Return the half that a path is of; None for everything that is no page."""
    return next((area for area in (STAFF, CUSTOMERS) if area.holds(path)), None)

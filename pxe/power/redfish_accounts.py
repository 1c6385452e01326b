"""The users of a Redfish BMC. Every call blocks; ``sushy`` has none of this but the connection."""

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from pxe.power.errors import NotOffered, PowerDisobeyed
from pxe.power.interfaces import BmcAccount
from pxe.power.redfish_session import RedfishBmc
from pxe.power.settings import new_password


class RedfishAccounts:
    """Users by the ``AccountService`` (DSP2046, ManagerAccount)."""

    def __init__(self, bmc: RedfishBmc) -> None:
        self._bmc = bmc

    def list(self) -> tuple[BmcAccount, ...]:
        """Look. Empty slots are not accounts."""
        with self._bmc.root() as root:
            return self._all(root)

    def reset(self, password: SecretStr | None = None) -> SecretStr:
        """Remove every account but ours, and give ours a new password."""
        made = password or new_password()
        with self._bmc.root() as root:
            ours = self._only_ours(root)
            self._set_password(root, ours, made)
        self._bmc.login.renew(made)
        with self._bmc.root() as root:
            self._all(root)
        return made

    def _only_ours(self, root: Any) -> BmcAccount:
        for account in self._all(root):
            if not account.is_ours:
                self._remove(root, account)
        left = self._all(root)
        strange = [account.name for account in left if not account.is_ours and account.is_enabled]
        if strange:
            raise PowerDisobeyed(f"the BMC still lets in {', '.join(strange)}; remove them by hand")
        return next(account for account in left if account.is_ours)

    def _all(self, root: Any) -> tuple[BmcAccount, ...]:
        service = (root.json.get("AccountService") or {}).get("@odata.id")
        if not service:
            raise NotOffered("this BMC has no AccountService, so its users cannot be seen; look at them by hand")
        collection = self._get(root, service).get("Accounts", {}).get("@odata.id", "")
        paths = [member["@odata.id"] for member in self._get(root, collection).get("Members", ())]
        documents = [(path, self._get(root, path)) for path in paths]
        found = tuple(self._account(path, document) for path, document in documents if document.get("UserName"))
        if not any(account.is_ours for account in found):
            raise NotOffered(f"the BMC does not list our own account '{self._bmc.login.user}'; nothing was changed")
        return found

    def _account(self, path: str, document: Mapping[str, Any]) -> BmcAccount:
        name = str(document["UserName"])
        return BmcAccount(path, name, bool(document.get("Enabled", True)), name == self._bmc.login.user)

    def _get(self, root: Any, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._bmc.ask(lambda: root._conn.get(path).json())  # noqa: SLF001 - no other way
        return answer

    def _patch(self, root: Any, path: str, what: dict[str, Any]) -> None:
        self._bmc.ask(lambda: root._conn.patch(path, data=what))  # noqa: SLF001 - no other way

    def _set_password(self, root: Any, ours: BmcAccount, password: SecretStr) -> None:
        try:
            self._patch(root, ours.key, {"Password": password.get_secret_value()})
        except NotOffered:  # whose message may hold the password: the standard's quote the value that they refuse
            raise NotOffered(
                f"the BMC does not take the new password of '{ours.name}'; the old one is in force. Look at its rules "
                "for passwords"
            ) from None

    def _remove(self, root: Any, account: BmcAccount) -> None:
        """Delete it; BMCs whose accounts are slots that cannot be deleted get theirs emptied."""
        try:
            self._bmc.ask(lambda: root._conn.delete(account.key))  # noqa: SLF001 - no other way
        except NotOffered:
            self._patch(root, account.key, {"Enabled": False, "UserName": ""})

"""Namespaces of a datastore: found, made, removed when nothing is in them."""

from components.pbs.client import Pbs
from components.pbs.errors import PbsError, PbsRefused, PbsUnreachable
from components.specs.pbs import PbsNamespaceSpec

_GONE = 404


class Namespaces:
    """The namespaces of one server; every call blocks."""

    def __init__(self, pbs: Pbs) -> None:
        self._pbs = pbs

    def exists(self, spec: PbsNamespaceSpec) -> bool:
        """Whether it is there."""
        try:
            found = self._pbs.get(f"/admin/datastore/{spec.datastore}/namespace")
        except PbsRefused as error:
            if error.status == _GONE:
                return False
            raise
        return any(item["ns"] == spec.name for item in found)

    def ensure(self, spec: PbsNamespaceSpec) -> None:
        """Make it unless it is there."""
        if self.exists(spec):
            return
        try:
            self._pbs.write("POST", f"/admin/datastore/{spec.datastore}/namespace", {"name": spec.name})
        except PbsUnreachable:
            if not self.exists(spec):
                raise

    def remove(self, spec: PbsNamespaceSpec) -> None:
        """Remove it if no backup is in it: older servers would delete the backups with it, without a question.

        Raises:
            PbsError: with the number of guests that have backups there.
        """
        if not self.exists(spec):
            return
        groups = self._pbs.get(f"/admin/datastore/{spec.datastore}/groups?ns={spec.name}")
        if groups:
            guests = ", ".join(sorted({str(group["backup-id"]) for group in groups})[:10])
            raise PbsError(
                f"namespace '{spec.name}' of datastore '{spec.datastore}' holds backups of {len(groups)} guests "
                f"({guests}); nothing was removed. Prune them first, or keep the namespace: `pulumi state delete` "
                "lets the stack forget it"
            )
        self._pbs.write("DELETE", f"/admin/datastore/{spec.datastore}/namespace?ns={spec.name}")

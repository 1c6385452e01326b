"""Reports: what an inspection found, and the proof of a wipe."""

import hashlib
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.auth.credentials import matches
from api.errors import InvalidInput, SlipwayError
from api.machines.deployments import Deployments
from api.machines.models import FACTS, INSPECTION, WIPE, Deployment, DeploymentStatus, Machine, WipeReport
from api.machines.netboot.errors import ReportRefused, SessionRefused, WipeUnproven
from api.machines.netboot.lookup import check_under_way, lock_deployment
from api.machines.netboot.tokens import is_signature
from api.machines.netboot.wiping import WipeClaim, doubts
from api.machines.outcomes import DeploymentOutcomes
from api.vault import Vault
from components.specs.machine import DeploymentKind, DeploymentPhase
from components.specs.machine_facts import Facts

_SEAL = "wipe report"


class Reports:
    """Takes reports; the caller's transaction commits, refusals included: they are returned, not raised."""

    def __init__(self, session: Session, vault: Vault) -> None:
        self._session, self._vault = session, vault
        self._deployments = Deployments(session)

    def take(self, deployment_id: UUID, secret: str, signature: str, body: bytes) -> SlipwayError | None:
        """Take a report; returns why it does not do, or None.

        The report of a wipe that does not prove it, whatever the reason, ends the deployment and puts the machine into
        quarantine. That of an inspection is kept for the worker, which holds it against what is recorded. Repeating a
        report that was taken changes nothing.

        Raises:
            NotFound: if there is no such deployment.
            DeploymentOver: if it is over.
            SessionRefused: if the session is not this boot's.
            InvalidInput: if this is no deployment that ends with a report.
        """
        machine, deployment = lock_deployment(self._session, deployment_id)
        if self._is_taken(deployment, signature, body):
            return None
        check_under_way(self._session, machine, deployment)
        if deployment.session_hash is None or not matches(secret, deployment.session_hash):
            raise SessionRefused("this is not the session of the machine's present boot")
        if deployment.kind is DeploymentKind.WIPE:
            return self._wipe(
                machine, deployment, is_signed=is_signature(signature, secret, body), claim=(body, signature)
            )
        if deployment.kind is DeploymentKind.INSPECT:
            if not is_signature(signature, secret, body):
                return self._refuse(machine, deployment, ReportRefused("the report is not signed by this machine"))
            return self._inspection(machine, deployment, body)
        raise InvalidInput(f"'{deployment.kind}' ends without a report")

    def _is_taken(self, deployment: Deployment, signature: str, body: bytes) -> bool:
        if deployment.status is not DeploymentStatus.SUCCEEDED:
            return False
        known = select(WipeReport.id).where(
            WipeReport.deployment_id == deployment.id, WipeReport.body == body, WipeReport.signature == signature
        )
        return self._session.execute(known).first() is not None

    def _refuse(self, machine: Machine, deployment: Deployment, error: SlipwayError) -> SlipwayError:
        DeploymentOutcomes(self._session).fail(machine, deployment, error.code, error.detail)
        return error

    def _wipe(
        self, machine: Machine, deployment: Deployment, *, is_signed: bool, claim: tuple[bytes, str]
    ) -> SlipwayError | None:
        body, signature = claim
        if not is_signed:
            return self._refuse(machine, deployment, WipeUnproven("the report is not signed by this machine"))
        try:
            told = WipeClaim.model_validate_json(body)
        except ValidationError as error:
            return self._refuse(machine, deployment, WipeUnproven(_unreadable(error)))
        booted = Facts.model_validate((deployment.report or {})[FACTS])
        inspected = None if machine.facts is None else Facts.model_validate(machine.facts)
        found = doubts(told, machine.serial, booted, inspected)
        if found:
            return self._refuse(machine, deployment, WipeUnproven(f"the report does not prove it: {'; '.join(found)}"))
        disks = [disk.model_dump(mode="json") for disk in told.disks]
        self._session.add(
            WipeReport(
                id=uuid7(),
                machine_id=machine.id,
                deployment_id=deployment.id,
                workload_id=machine.workload_id,
                body=body,
                signature=signature,
                seal=self._vault.sign(_SEAL, sealed_bytes(machine.id, deployment.id, body, signature)),
                disks=disks,
            )
        )
        machine.wiped_at = self._session.execute(select(func.clock_timestamp())).scalar_one()
        machine.installed = None
        deployment.report = {**(deployment.report or {}), WIPE: told.model_dump(mode="json")}
        self._succeed(deployment, f"All {len(disks)} disks are proven empty.")
        return None

    def _inspection(self, machine: Machine, deployment: Deployment, body: bytes) -> SlipwayError | None:
        try:
            facts = Facts.model_validate_json(body)
        except ValidationError as error:
            return self._refuse(machine, deployment, ReportRefused(_unreadable(error)))
        deployment.report = {**(deployment.report or {}), INSPECTION: facts.model_dump(mode="json")}
        self._deployments.tell(deployment, "The hardware is reported; it is held against what is recorded.")
        return None

    def _succeed(self, deployment: Deployment, message: str) -> None:
        self._deployments.tell(deployment, message, DeploymentPhase.DONE)
        self._deployments.end(deployment, DeploymentStatus.SUCCEEDED)


def _unreadable(error: ValidationError) -> str:
    """Name the first fault and not the value, which is whatever a machine has sent."""
    first = error.errors(include_input=False, include_url=False)[0]
    return f"the report cannot be read: '{'.'.join(map(str, first['loc'])) or 'document'}': {first['msg']}"


def sealed_bytes(machine_id: UUID, deployment_id: UUID, body: bytes, signature: str) -> bytes:
    """Return what our seal of a wipe report is made over: whose it is, what it says and who signed it."""
    return b"\n".join(
        (
            machine_id.bytes.hex().encode(),
            deployment_id.bytes.hex().encode(),
            hashlib.sha256(body).hexdigest().encode(),
            signature.encode(),
        )
    )


def is_sealed(vault: Vault, report: WipeReport) -> bool:
    """Tell whether a stored report is as we have sealed it."""
    return vault.is_signed(
        _SEAL, sealed_bytes(report.machine_id, report.deployment_id, report.body, report.signature), report.seal
    )

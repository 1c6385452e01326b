"""Check-in: a machine shows its token, serial and hardware, and is told what to do."""

from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from api.alerts.models import AlertKind
from api.alerts.service import raise_alert
from api.auth.credentials import digest
from api.errors import InvalidInput, SlipwayError
from api.machines.deployments import Deployments
from api.machines.errors import WrongMachine
from api.machines.models import FACTS, Deployment, Machine
from api.machines.netboot.decision import AFTER
from api.machines.netboot.disks import choose_disks, disks_to_wipe
from api.machines.netboot.errors import DiskTooSmall, NothingToInstall, TokenRefused
from api.machines.netboot.identity import differs
from api.machines.netboot.lookup import check_under_way, lock_deployment
from api.machines.netboot.plan import render_plan
from api.machines.netboot.tokens import callback_of, new_token
from api.machines.outcomes import DeploymentOutcomes
from api.vault import Vault
from components.specs.machine import BootProfile, DeploymentKind, DeploymentPhase, ImageFormat
from components.specs.machine_facts import Facts

_GIB = 1024**3


class CheckIns:
    """Checks machines in; the caller's transaction commits, refusals included.

    A refusal is returned and not raised: raising would roll back that the token is spent.

    Args:
        session: of one request.
        vault: seals what the machine will sign its reports with.
        base_url: where machines reach the boot service, without a slash at the end.
    """

    def __init__(self, session: Session, vault: Vault, base_url: str) -> None:
        self._session, self._vault, self._base_url = session, vault, base_url
        self._deployments = Deployments(session)

    def check_in(self, deployment_id: UUID, token: str, body: bytes) -> str | SlipwayError:
        """Return the plan for the machine that shows this token, or why there is none.

        Raises:
            NotFound: if there is no such deployment.
            DeploymentOver: if it is over.
        """
        machine, deployment = lock_deployment(self._session, deployment_id)
        check_under_way(self._session, machine, deployment)
        refused = self._spend(machine, deployment, token)
        if refused is not None:
            return refused
        try:
            facts = Facts.model_validate_json(body)
        except ValidationError as error:
            return InvalidInput(f"the facts are not as the contract has them: {_first(error)}")
        deployment.report = {FACTS: facts.model_dump(mode="json")}
        why = self._mistaken(machine, deployment, facts)
        if why is not None:
            DeploymentOutcomes(self._session).fail(machine, deployment, WrongMachine.code, why)
            return WrongMachine(f"{why}: touch nothing")
        return self._plan(machine, deployment, facts)

    def _spend(self, machine: Machine, deployment: Deployment, token: str) -> SlipwayError | None:
        """Spend the token, whoever it is for; a token that is shown in the wrong place is known to too many."""
        shown = digest(token)
        spent = (
            update(Deployment)
            .where(Deployment.token_hash == shown, Deployment.token_spent_at.is_(None))
            .values(token_spent_at=func.now())
            .returning(Deployment.id)
            .execution_options(synchronize_session=False)
        )
        if deployment.token_hash == shown:
            if self._session.execute(spent.where(Deployment.id == deployment.id)).first() is not None:
                return None
            what = "its token was shown a second time"
        else:
            # Another machine's row is locked without its machine's: nothing more is taken after it.
            owner = self._session.execute(spent.where(Deployment.id != deployment.id)).first()
            what = "it was shown another deployment's token" if owner else "it was shown a token that is not its own"
        message = f"{what}: somebody repeats or forges what machine '{machine.name}' says, or its answer was lost"
        raise_alert(self._session, AlertKind.TOKEN_MISUSED, "machine", machine.id, message)
        self._deployments.tell(deployment, "A boot was refused: its token was not good.")
        return TokenRefused("this token was used before, was replaced by a newer one, or is another machine's")

    def _mistaken(self, machine: Machine, deployment: Deployment, facts: Facts) -> str | None:
        # What cards there are is what an inspection finds out, and holds against the record afterwards.
        recorded = () if deployment.kind is DeploymentKind.INSPECT else machine.macs
        why = differs(machine.serial, machine.boot_mac, recorded, facts)
        if why is not None:
            return why
        macs = sorted(facts.macs)
        is_theirs = or_(Machine.boot_mac.in_(macs), Machine.macs.bool_op("&&")(macs))
        other = self._session.scalar(select(Machine.name).where(Machine.id != machine.id, is_theirs).limit(1))
        return None if other is None else f"it has a network card of machine '{other}'"

    def _plan(self, machine: Machine, deployment: Deployment, facts: Facts) -> str | SlipwayError:
        try:
            own = self._own_part(deployment, facts)
        except (DiskTooSmall, NothingToInstall) as error:
            DeploymentOutcomes(self._session).fail(machine, deployment, error.code, error.detail)
            return error
        secret = new_token()
        deployment.session_hash, deployment.session_encrypted = digest(secret), self._vault.seal(secret)
        deployment.callback_hash = digest(callback_of(secret)) if deployment.kind is DeploymentKind.INSTALL else None
        self._deployments.tell(deployment, _recognised(facts), DeploymentPhase.INSPECT)
        common = {"kind": deployment.kind.value, "session": secret, "serial": machine.serial}
        return render_plan({**common, **own, "after": AFTER[deployment.kind]})

    def _own_part(self, deployment: Deployment, facts: Facts) -> dict[str, str]:
        """Return what a plan has for its kind only.

        Raises:
            DiskTooSmall: before anything is written.
            NothingToInstall: if the deployment does not say what to install by this way.
        """
        match deployment.kind:
            case DeploymentKind.INSPECT:
                return {}
            case DeploymentKind.WIPE:
                return {"disks": ",".join(disks_to_wipe(facts.disks))}
            case DeploymentKind.RESCUE:
                return {"user": _profile_of(deployment).user}
            case DeploymentKind.INSTALL:
                return self._installation(_profile_of(deployment), facts)

    def _installation(self, profile: BootProfile, facts: Facts) -> dict[str, str]:
        image = profile.image
        if image.format is not ImageFormat.RAW:
            raise NothingToInstall("this deployment has an installer of its own, and no image: touch nothing")
        return {
            "user": profile.user,
            "layout": profile.layout.value,
            "disks": ",".join(choose_disks(profile.layout, facts.disks, image.size_bytes)),
            "image": f"{self._base_url}/images/{image.sha256}",
            "image_sha256": image.sha256,
            "image_content_sha256": image.content_sha256,
            "image_size": str(image.size_bytes),
            "image_compression": image.compression.value,
        }


def _profile_of(deployment: Deployment) -> BootProfile:
    if deployment.profile is None:
        raise NothingToInstall("this deployment has no profile, so there is nothing to install: touch nothing")
    return BootProfile.model_validate(deployment.profile)


def _recognised(facts: Facts) -> str:
    disks = ", ".join(f"{disk.name} {disk.size_bytes / _GIB:.1f} GiB" for disk in facts.disks) or "none"
    return f"It is the right machine: {facts.cores} cores, {facts.memory_mib} MiB; disks: {disks}."


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the document'}: {first['msg']}"[:300]

"""The engine's view of an installation. Named in the state of stacks: never move or rename the provider."""

import os
from typing import Any, ClassVar

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from components.installation.errors import InstallationError
from components.installation.installer import Installer, Machine, OurKey
from components.installation.patience import Patience, to_the_engine
from components.installation.proxmox import ProxmoxNode
from components.installation.rescue import RescueDesk
from components.installation.settings import endpoint_of, rescue_key, root_password, ssh_place
from components.installation.shell import RescueShell, md5_fingerprint, public_half
from components.robot.checks import PROVIDER_KEY, check_inputs, is_unknown
from components.robot.connection import robot_settings, shared_robot
from components.robot.servers import Servers
from components.specs.platform.installation import InstallationSpec

_INPUTS = tuple(InstallationSpec.model_fields)
_KEY = "rescue_key"


class NodeInstallationProvider(ResourceProvider):
    """Proxmox VE on one dedicated server. Deleting the resource leaves the server and everything on it as it is."""

    serialize_as_secret_always: ClassVar[bool] = False  # type: ignore[misc] # the SDK reads it from the class too

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse a profile that installimage would refuse, and a counter that goes back."""
        key = news.get(_KEY)
        checked = check_inputs(InstallationSpec, {name: value for name, value in news.items() if name != _KEY})
        result = CheckResult({**checked.inputs, _KEY: key}, list(checked.failures))
        counts = _olds.get("reinstall", 0), checked.inputs.get("reinstall", 0)
        if not is_unknown(list(counts)) and int(counts[1]) < int(counts[0]):
            result.failures.append(CheckFailure("reinstall", f"was {int(counts[0])}; it is only ever raised"))
        return result

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Another number is another server; everything else is noted in place, and installs nothing by itself."""
        if is_unknown(_news.get("number")):
            return DiffResult(changes=True, replaces=["number"])
        replaces = ["number"] if int(_olds["number"]) != int(_news["number"]) else []
        is_other = any(is_unknown(_news.get(key)) or _olds.get(key) != _news.get(key) for key in (*_INPUTS, _KEY))
        return DiffResult(changes=is_other or bool(replaces), replaces=replaces)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Install, or find that Proxmox VE answers already."""
        spec = _spec(props)
        installer, machine = _tools(spec, props)
        is_new = installer.ensure(machine, spec)
        profile = props["profile"] if is_new else {}
        return CreateResult(str(spec.number), _outputs(props, machine, profile))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """A node that does not answer is still installed; a server that this login has no more is gone."""
        if Servers(shared_robot(robot_settings())).get(int(id_)) is None:
            return ReadResult(None, {})
        return ReadResult(id_, {key: value for key, value in props.items() if key != PROVIDER_KEY})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Note another profile; install anew only where the counter was raised and nobody lives there."""
        spec = _spec(_news)
        profile = _olds.get("installed_profile") or {}
        if spec.reinstall > int(_olds.get("reinstall", 0)):
            installer, machine = _tools(spec, _news)
            installer.reinstall(machine, spec)
            return UpdateResult(_outputs(_news, machine, _news["profile"]))
        kept = {key: _olds.get(key) for key in ("address", "endpoint")}
        outputs = {**_inputs(_news), **kept, **_state_of(profile, _news["profile"])}
        if not outputs["is_as_described"] and profile:
            to_the_engine(
                f"{spec.name}: it was installed with another profile, and is left as it is; 'reinstall' raised by one "
                "installs it anew when it carries no guest"
            )
        return UpdateResult(outputs)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Forget it; the machine is not touched."""


def _inputs(props: dict[str, Any]) -> dict[str, Any]:
    return {key: props.get(key) for key in (*_INPUTS, _KEY)}


def _spec(props: dict[str, Any]) -> InstallationSpec:
    return InstallationSpec.model_validate({key: props[key] for key in _INPUTS if key in props})


def _tools(spec: InstallationSpec, props: dict[str, Any]) -> tuple[Installer, Machine]:
    settings = robot_settings()
    desk = RescueDesk(shared_robot(settings))
    file = rescue_key(os.environ)
    key = OurKey(md5_fingerprint(file), public_half(file))
    if key.fingerprint != props[_KEY]:
        raise InstallationError(
            f"SLIPWAY_RESCUE_SSH_KEY is the key {key.fingerprint}, and the stack has registered {props[_KEY]} at Robot"
        )
    server = desk.server(spec.number)
    machine = Machine(
        server,
        ProxmoxNode(endpoint_of(os.environ, spec.name, server.address)),
        ssh_place(os.environ, spec.name, server.address),
        root_password(os.environ, spec.name),
    )
    patience = Patience(spec.name, settings.poll_seconds)
    return Installer(desk, key, lambda place: RescueShell(place, file), patience), machine


def _state_of(installed: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    return {"installed_profile": installed, "is_as_described": installed in ({}, wanted)}


def _outputs(props: dict[str, Any], machine: Machine, profile: dict[str, Any]) -> dict[str, Any]:
    found = {"address": machine.server.address, "endpoint": machine.node.endpoint}
    return {**_inputs(props), **found, **_state_of(profile, props["profile"])}

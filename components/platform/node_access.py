"""Who may do what on a node: roles, the control plane's user, and what it is granted."""

from collections.abc import Iterable, Sequence

import pulumi
import pulumi_proxmoxve as proxmox

from components.platform.node_things import NodeThings
from components.specs.platform.node_access import CONTROL_PLANE, ROLES, Grant

COMMENT = "Slipway control plane: by token only"


def declare_access(
    name: str,
    grants: Iterable[Grant],
    after: Sequence[pulumi.Resource],
    there: NodeThings,
    opts: pulumi.ResourceOptions,
) -> list[pulumi.Resource]:
    """Declare the roles, the user without a password, and its grants.

    Args:
        name: the node's.
        grants: what the control plane may do.
        after: what has to be there before something can be granted on it.
        there: what the node has already.
        opts: parent and provider.
    """
    wanted = list(grants)
    used = [role for role in ROLES if role in {grant.role for grant in wanted}]
    roles = {
        role: proxmox.RoleLegacy(
            f"{name}-{role}",
            role_id=role,
            privileges=sorted(ROLES[role]),
            opts=there.take_over("role", role, {"privs": frozenset(ROLES[role])}, opts),
        )
        for role in used
    }
    user = proxmox.UserLegacy(
        f"{name}-control-plane",
        user_id=CONTROL_PLANE,
        comment=COMMENT,
        opts=there.take_over("user", CONTROL_PLANE, {"comment": COMMENT, "enable": 1}, opts),
    )
    waits = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=list(after)))
    granted = [
        proxmox.Acl(
            f"{name}-{grant.path.strip('/').replace('/', '-')}",
            path=grant.path,
            role_id=roles[grant.role].role_id,
            user_id=user.user_id,
            propagate=True,
            opts=waits,
        )
        for grant in wanted
    ]
    return [user, *granted]

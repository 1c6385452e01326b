"""The deployer: a kernel and an initrd of ours that inspect, install, wipe and rescue machines.

``ensure_deployer`` builds them from Debian's packages into the user's cache; ``python -m pxe.deployer`` does it by
hand. What runs on the machines is in the folder ``initrd``.
"""

from pxe.deployer.build import Deployer, DeployerError, ensure_deployer
from pxe.deployer.recipe import CLOUD, IRON, Recipe

__all__ = ["CLOUD", "IRON", "Deployer", "DeployerError", "Recipe", "ensure_deployer"]

"""Files that the deployer places on a disk, each as it is to lie there: pure."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from api.errors import NotFound
from api.machines.netboot.seeding import Seed
from pxe.boot.seeds.cloud_init import meta_data, network_config, user_data
from pxe.boot.seeds.network import interfaces, netplan, resolv_conf
from pxe.boot.seeds.setup import authorized_keys, callback_file, one_line
from pxe.boot.seeds.yaml_text import to_yaml

_FILES: Mapping[str, Callable[[Seed, str], str]] = MappingProxyType(
    {
        "authorized_keys": lambda seed, _: authorized_keys(seed),
        "hostname": lambda seed, _: f"{one_line(seed.profile.hostname)}\n",
        "interfaces": lambda seed, _: interfaces(seed.boot_mac, seed.profile.network),
        "resolv.conf": lambda seed, _: resolv_conf(seed.profile.network),
        "netplan.yaml": lambda seed, _: to_yaml({"network": netplan(seed.boot_mac, seed.profile.network)}),
        "user-data": lambda seed, _: user_data(seed.profile),
        "meta-data": lambda seed, _: meta_data(seed.profile, str(seed.deployment_id)),
        "network-config": lambda seed, _: network_config(seed.boot_mac, seed.profile),
        "callback": callback_file,
    }
)


def render_placed(name: str, seed: Seed, base_url: str) -> str:
    """Return a file.

    Raises:
        NotFound: if there is none of this name.
    """
    render = _FILES.get(name)
    if render is None:
        raise NotFound(f"there is no such file; there are {', '.join(_FILES)}")
    return render(seed, base_url)

"""Which of an installer's files is which."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from api.errors import NotFound
from api.machines.netboot.seeding import Seed
from components.specs.machine import ImageFormat
from pxe.boot.seeds.autoinstall import autoinstall
from pxe.boot.seeds.cloud_init import meta_data, vendor_data
from pxe.boot.seeds.kickstart import kickstart
from pxe.boot.seeds.network import netplan
from pxe.boot.seeds.preseed import preseed
from pxe.boot.seeds.proxmox import answer
from pxe.boot.seeds.yaml_text import to_yaml

_F = ImageFormat
_FILES: Mapping[tuple[ImageFormat, str], Callable[[Seed, str, str], str]] = MappingProxyType(
    {
        (_F.INSTALLER_DEBIAN, "preseed.cfg"): preseed,
        (_F.INSTALLER_ROCKY, "ks.cfg"): kickstart,
        (_F.INSTALLER_PROXMOX, "answer.toml"): lambda seed, _token, _url: answer(seed),
        (_F.INSTALLER_UBUNTU, "user-data"): autoinstall,
        (_F.INSTALLER_UBUNTU, "meta-data"): lambda seed, _token, _url: meta_data(seed.profile, str(seed.deployment_id)),
        (_F.INSTALLER_UBUNTU, "vendor-data"): lambda _seed, _token, _url: vendor_data(),
        (_F.INSTALLER_UBUNTU, "network-config"): lambda seed, _token, _url: to_yaml(
            netplan(seed.boot_mac, seed.profile.network)
        ),
    }
)


def render_seed(name: str, seed: Seed, token: str, base_url: str) -> str:
    """Return one file for the installer of this deployment's image.

    Raises:
        NotFound: if this installer has no such file.
    """
    render = _FILES.get((seed.profile.image.format, name))
    if render is None:
        raise NotFound("this installer has no such file")
    return render(seed, token, base_url)

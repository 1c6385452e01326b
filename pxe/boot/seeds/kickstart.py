"""Rocky Linux' kickstart file (Anaconda)."""

import shlex

from api.machines.netboot.seeding import Seed
from components.specs.machine import DiskLayout
from pxe.boot.seeds.network import ipv4_with_prefix, ipv6_with_prefix
from pxe.boot.seeds.setup import encoded_setup, one_line

_SERIAL = "$(tr -cd 'A-Za-z0-9._-' </sys/class/dmi/id/product_serial)"
_SMALLEST = """\
for d in /sys/block/*; do case ${d##*/} in sd*|vd*|nvme*|xvd*) s=$(cat $d/size); \
[ $(cat $d/removable) = 0 ] && [ $s -ge SECTORS ] && echo $s ${d##*/};; esac; done | sort -n"""
_SINGLE = """\
set -- $(%s | head -n 1 | cut -d ' ' -f 2)
[ -n "$1" ] || gone disk_too_small
cat >/tmp/disks.ks <<END
ignoredisk --only-use=$1
clearpart --all --initlabel --disklabel=gpt --drives=$1
bootloader --boot-drive=$1
reqpart
part / --fstype=ext4 --size=2048 --grow --ondisk=$1
END
"""
_MIRROR = """\
set -- $(%s | while read s d; do [ "$s" = "$b" ] && { echo $c $d; break; }; b=$s c=$d; done)
[ -n "$2" ] || gone disk_too_small
cat >/tmp/disks.ks <<END
ignoredisk --only-use=$1,$2
clearpart --all --initlabel --disklabel=gpt --drives=$1,$2
bootloader --boot-drive=$1
reqpart
part raid.01 --size=2048 --grow --ondisk=$1
part raid.02 --size=2048 --grow --ondisk=$2
raid / --fstype=ext4 --device=root --level=RAID1 raid.01 raid.02
END
"""


def kickstart(seed: Seed, token: str, base_url: str) -> str:
    """Return the file: ``%pre`` checks the serial number and chooses the disks, ``%post`` sets the system up."""
    told = f"{base_url}/seed/{token}"
    sectors = -(-seed.profile.image.size_bytes // 512)
    smallest = _SMALLEST.replace("SECTORS", str(sectors))
    choose = (_SINGLE if seed.profile.layout is DiskLayout.SINGLE else _MIRROR) % smallest
    return f"""\
text
reboot
lang en_US.UTF-8
keyboard us
timezone UTC --utc
rootpw --lock
selinux --enforcing
firewall --enabled --ssh
services --enabled=sshd
network {_network(seed)}
%include /tmp/disks.ks

%packages
@^minimal-environment
openssh-server
%end

%pre --interpreter=/bin/bash --erroronfail
off() {{ while true; do poweroff -f; sleep 60; done; }}
gone() {{ curl -sf --data "code=$1" {told}/failure; off; }}
curl -sf --retry 5 --data "phase=inspect&serial={_SERIAL}" {told}/phase || off
{choose}curl -sf --data phase=write {told}/phase || true
%end

%post --interpreter=/bin/bash --erroronfail
curl -sf --data phase=configure {told}/phase
{encoded_setup(seed, base_url)}
curl -sf --data phase=reboot {told}/phase
%end
"""


def _network(seed: Seed) -> str:
    network = seed.profile.network
    ipv4 = ipv4_with_prefix(network).split("/")[0]
    words = [
        "--bootproto=static",
        f"--device={seed.boot_mac}",
        f"--ip={ipv4}",
        f"--netmask={_netmask(network.ipv4.prefix_length)}",
        f"--gateway={network.ipv4.gateway}",
        f"--ipv6={ipv6_with_prefix(network)}",
        f"--ipv6gateway={network.ipv6.gateway}",
        f"--hostname={shlex.quote(one_line(seed.profile.hostname))}",
        "--activate",
    ]
    if network.nameservers:
        words.append(f"--nameserver={','.join(map(str, network.nameservers))}")
    return " ".join(words)


def _netmask(prefix_length: int) -> str:
    bits = (0xFFFFFFFF << (32 - prefix_length)) & 0xFFFFFFFF
    return ".".join(str(bits >> shift & 0xFF) for shift in (24, 16, 8, 0))

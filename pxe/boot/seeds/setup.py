"""What an installer has its new system do at the end, as one shell script: keys, name, network, and the call back.

The script goes to the installer in base64, so no installer's own quoting touches it; within it, every value is quoted
for the shell.
"""

import base64
import shlex

from api.machines.netboot.seeding import Seed
from pxe.boot.seeds.network import interfaces, netplan, resolv_conf
from pxe.boot.seeds.yaml_text import to_yaml

_CALL = """\
#!/bin/bash
# Tells the boot service, once, that this system runs and has the network; needs bash only.
set -u
{ read -r address && read -r token; } </etc/slipway/callback || exit 0
rest=${address#http://} host=${rest%%/*} body="hostname=$(hostname)"
port=${host##*:}
[ "$port" = "$host" ] && port=80
for _ in $(seq 60); do
    if exec 3<>"/dev/tcp/${host%:*}/$port"; then
        printf 'POST /%s HTTP/1.0\\r\\nHost: %s\\r\\nAuthorization: Bearer %s\\r\\n' "${rest#*/}" "$host" "$token" >&3
        printf 'Content-Type: application/x-www-form-urlencoded\\r\\n' >&3
        printf 'Content-Length: %s\\r\\n\\r\\n%s' "${#body}" "$body" >&3
        read -r _ status _ <&3
        exec 3>&-
        case $status in 2??|4??) rm -f /etc/slipway/callback; exit 0 ;; esac
    fi 2>/dev/null
    sleep 5
done
exit 1
"""
_UNIT = """\
[Unit]
Description=Tell Slipway that this machine runs
Wants=network-online.target
# What is told to run can be logged into; whichever of these two there is.
After=network-online.target ssh.service sshd.service
ConditionPathExists=/etc/slipway/callback

[Service]
Type=oneshot
ExecStart=/usr/local/sbin/slipway-first-boot

[Install]
WantedBy=multi-user.target
"""
_SSHD = "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"


def callback_file(seed: Seed, base_url: str) -> str:
    """Return what the installed system needs to call back: an address and a token, each on its line."""
    return f"{base_url}/deployments/{seed.deployment_id}/running\n{seed.callback}\n"


def authorized_keys(seed: Seed) -> str:
    """Return the customer's keys, one a line."""
    return "".join(f"{one_line(key)}\n" for key in seed.profile.ssh_keys)


def one_line(text: str) -> str:
    """Return a text without whatever would end its line, or not be printed at all."""
    return "".join(character for character in text if character.isprintable())


def setup_script(seed: Seed, base_url: str) -> str:
    """Return the script; it runs as root within the new system."""
    user = shlex.quote(seed.profile.user)
    lines = [
        "set -eu",
        "umask 077",
        *([] if seed.profile.user == "root" else _account(seed.profile.user)),
        f"home=$(getent passwd {user} | cut -d : -f 6)",
        'mkdir -p "$home/.ssh" /etc/slipway',
        _write(authorized_keys(seed), '"$home/.ssh/authorized_keys"', "600"),
        f'chown -R {user}: "$home/.ssh"',
        f"passwd -l {user}",
        *_name(one_line(seed.profile.hostname)),
        _write(callback_file(seed, base_url), "/etc/slipway/callback", "600"),
        _write(_CALL, "/usr/local/sbin/slipway-first-boot", "755"),
        _write(_UNIT, "/etc/systemd/system/slipway-first-boot.service", "644"),
        "mkdir -p /etc/systemd/system/multi-user.target.wants /etc/ssh/sshd_config.d",
        "ln -sf ../slipway-first-boot.service /etc/systemd/system/multi-user.target.wants/",
        _write(_SSHD, "/etc/ssh/sshd_config.d/10-slipway.conf", "644"),
        *_network(seed),
    ]
    return "\n".join(lines) + "\n"


def encoded_setup(seed: Seed, base_url: str) -> str:
    """Return a shell command of safe characters only that runs the script."""
    packed = base64.b64encode(setup_script(seed, base_url).encode()).decode()
    return f"echo {packed} | base64 -d | /bin/sh"


def _account(user: str) -> list[str]:
    """An account that no password opens becomes root by its key alone, as in distributions' own cloud images."""
    name = shlex.quote(user)
    return [
        f"getent passwd {name} >/dev/null || useradd --create-home --shell /bin/bash {name}",
        "mkdir -p /etc/sudoers.d",
        _write(f"{one_line(user)} ALL=(ALL) NOPASSWD:ALL\n", "/etc/sudoers.d/90-slipway", "440"),
    ]


def _name(hostname: str) -> list[str]:
    """The installer has named the system by what DHCP called it."""
    entry = shlex.quote(f"127.0.1.1 {hostname}\n")
    return [
        _write(f"{hostname}\n", "/etc/hostname", "644"),
        "[ ! -e /etc/hosts ] || sed -i '/^127[.]0[.]1[.]1[^0-9]/d' /etc/hosts",
        f"printf %s {entry} >>/etc/hosts && chmod 644 /etc/hosts",
    ]


_NAME_CARD = "sed -i s/eth0/${card##*/}/ /etc/network/interfaces"


def _network(seed: Seed) -> list[str]:
    """Whatever the new system has: netplan, or Debian's own."""
    network, mac = seed.profile.network, seed.boot_mac
    return [
        "if [ -d /etc/netplan ]; then",
        "rm -f /etc/netplan/*",
        _write(to_yaml({"network": netplan(mac, network)}), "/etc/netplan/50-slipway.yaml", "600"),
        "elif [ -d /etc/network ]; then",
        _write(interfaces(mac, network), "/etc/network/interfaces", "644"),
        # An installer's kernel names cards by their place: the one with this address it is.
        f"for card in /sys/class/net/*; do grep -qi '^{mac}$' $card/address && {_NAME_CARD}; done",
        _write(resolv_conf(network), "/etc/resolv.conf", "644"),
        "fi",
    ]


def _write(text: str, path: str, mode: str) -> str:
    """Return a command that writes a file of ours; the text is quoted, the path is a constant."""
    return f"printf %s {shlex.quote(text)} >{path} && chmod {mode} {path}"

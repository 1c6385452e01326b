"""WireGuard's files for a bastion and for those who come in by it. Pure; no private key is ever in one."""

from components.specs.platform.vpn import VpnPeerSpec, VpnSpec

INTERFACE = "wg0"
FOLDER = "/etc/wireguard"
PRIVATE_KEY = f"{FOLDER}/private.key"
PEERS = f"{FOLDER}/peers.conf"


def interface_file(spec: VpnSpec) -> str:
    """``wg0.conf`` for wg-quick(8): the key and the peers are in files of their own, so that both outlive changes."""
    return (
        "[Interface]\n"
        f"Address = {spec.server_address}/{spec.cidr.prefixlen}\n"
        f"ListenPort = {spec.port}\n"
        f"PostUp = wg set %i private-key {PRIVATE_KEY}\n"
        f"PostUp = wg addconf %i {PEERS}\n"
    )


def peers_file(spec: VpnSpec) -> str:
    """``peers.conf``: everybody who may come in, each under one address only."""
    return "\n".join(
        f"# {peer.name}\n[Peer]\nPublicKey = {peer.public_key}\nAllowedIPs = {peer.address}/32\n" for peer in spec.peers
    )


def client_file(spec: VpnSpec, peer: VpnPeerSpec, endpoint: str) -> str:
    """What a peer needs beside the two keys, which his machine and the bastion's console tell him.

    Args:
        spec: the VPN.
        peer: his part in it.
        endpoint: the bastion's public address or name.
    """
    routes = ", ".join(str(network) for network in (spec.cidr, *spec.routes))
    return (
        "[Interface]\n"
        f"Address = {peer.address}/32\n"
        "PrivateKey = <made on your machine by: wg genkey>\n"
        "\n[Peer]\n"
        "PublicKey = <of the bastion, from its console>\n"
        f"Endpoint = {endpoint}:{spec.port}\n"
        f"AllowedIPs = {routes}\n"
        "PersistentKeepalive = 25\n"
    )


def peers_script(spec: VpnSpec) -> str:
    """``slipway-vpn-peers``: makes the peers on its standard input the VPN's only ones.

    Connections of those who stay are not broken. Without any peer it refuses: nobody could come in to put it right.
    """
    return f"""#!/bin/sh
# Makes the peers on standard input the VPN's only ones: pulumi stack output vpn_peers | ssh bastion slipway-vpn-peers
set -eu
umask 077
folder={FOLDER}
peers=$(mktemp "$folder/new.XXXXXX")
whole=$(mktemp "$folder/new.XXXXXX")
trap 'rm -f "$peers" "$whole"' EXIT
cat >"$peers"
if ! grep -q '^\\[Peer\\]' "$peers"; then
    echo "slipway-vpn-peers: there is no [Peer] on standard input; nothing was changed" >&2
    exit 1
fi
{{
    printf '[Interface]\\nListenPort = {spec.port}\\nPrivateKey = %s\\n' "$(cat {PRIVATE_KEY})"
    cat "$peers"
}} >"$whole"
wg syncconf {INTERFACE} "$whole"
mv "$peers" {PEERS}
"""

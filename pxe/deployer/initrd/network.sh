# The one card that the machine was booted from.

# card_with MAC: its name. The MAC may be written with hyphens, as in addresses.
card_with() {
    wanted=$(printf '%s' "$1" | tr 'A-F-' 'a-f:')
    for name in $(ls "$SYS/class/net"); do
        if [ "$(cat "$SYS/class/net/$name/address" 2>/dev/null)" = "$wanted" ]; then
            printf '%s\n' "$name"
            return 0
        fi
    done
    return 1
}

bring_up_network() {
    ip link set lo up
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        CARD=$(card_with "$1") && break
        sleep 1
    done
    [ -n "${CARD:-}" ] || return 1
    ip link set "$CARD" up
    [ -z "$(setting slipway.vlan)" ] || { join_vlan "$(setting slipway.vlan)" "$(setting slipway.address)"; return; }
    # At first in quick steps; then with patience, for a switch's port may need half a minute before it forwards.
    udhcpc -i "$CARD" -s "$LIB/lease" -t 5 -T 1 -n -q >/dev/null 2>&1 \
        || udhcpc -i "$CARD" -s "$LIB/lease" -t 20 -T 3 -n -q >/dev/null 2>&1
}

# join_vlan ID ADDRESS/PREFIX: where a hosting provider's switches carry our network in a VLAN (1400 bytes at Hetzner),
# without DHCP. The boot service is on the link; there is no other route.
join_vlan() {
    modprobe 8021q 2>/dev/null
    ip link add link "$CARD" name slipway type vlan id "$1" \
        && ip link set dev slipway mtu 1400 && ip link set dev slipway up && ip addr add "$2" dev slipway
}

# For a system that stays up: the lease is renewed. With a VLAN this is the card itself, on the provider's own network.
keep_network() {
    udhcpc -i "$CARD" -s "$LIB/lease" -b >/dev/null 2>&1
}

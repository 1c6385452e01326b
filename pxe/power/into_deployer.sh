# Read by root's shell in a rescue system: `sh -s -- MAC VLAN ADDRESS/PREFIX URL`. Loads the deployer that the boot service
# has for the machine with this card, and leaves a command beside it that starts it. Nothing is written to a disk.
#
# Status 3: the boot service has nothing for this machine. Else, other than 0: something did not work. Why is the last line
# on standard error. Of the token nothing is printed: neither document nor command line ever gets there.

PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
SYS=${SYS:-/sys}
WORK=${WORK:-/run/slipway-deployer}
set -u -f
umask 077
mac=$1 vlan=$2 address=$3 url=$4

refuse() {
    status=$1
    shift
    echo "$*" >&2
    exit "$status"
}

# The value of a line NAME=VALUE of the document. It is cut and compared, and never evaluated.
told() {
    sed -n "s/^$1=//p" "$WORK/document" | head -n 1
}

card_with() {
    for name in $(ls "$SYS/class/net"); do
        [ -e "$SYS/class/net/$name/device" ] || continue
        [ "$(cat "$SYS/class/net/$name/address")" = "$1" ] && printf '%s\n' "$name" && return 0
    done
    return 1
}

# The vSwitch carries 1400 bytes. No route but to the network itself: the boot service is on the link.
join_network() {
    card=$(card_with "$mac") || refuse 4 "no network card has the MAC address $mac"
    modprobe 8021q 2>/dev/null
    ip link set "$card" up
    [ -e "$SYS/class/net/slipway" ] || ip link add link "$card" name slipway type vlan id "$vlan" \
        || refuse 4 "the VLAN $vlan could not be made on $card"
    ip link set dev slipway mtu 1400 && ip link set dev slipway up && {
        ip addr replace "$address" dev slipway 2>/dev/null || ip addr add "$address" dev slipway
    } || refuse 4 "the address $address could not be given to the VLAN $vlan"
}

# fetch NAME URL: with patience, for Robot's switches need a while after a server has joined.
fetch() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        timeout 300 wget -q -O "$WORK/$1" "$2" 2>"$WORK/wget" && return 0
        sleep "${PAUSE:-3}"
    done
    refuse 4 "$2 could not be fetched over the VLAN $vlan: $(tail -n 1 "$WORK/wget")"
}

# part NAME: a file of the deployer, compared with its checksum.
part() {
    fetch "$1" "$(told "$1")"
    [ "$(sha256sum "$WORK/$1" | cut -d ' ' -f 1)" = "$(told "$1_sha256")" ] \
        || refuse 4 "what came as $1 is not what the boot service has"
}

# Our own kexec, with the libraries that it was built for: rescue systems have another, or none.
find_kexec() {
    if [ -n "$(told kexec)" ]; then
        part kexec
        tar -xzf "$WORK/kexec" -C "$WORK" || refuse 4 'the archive with kexec cannot be unpacked'
        loader="$WORK/kexec.d/ld-linux-x86-64.so.2"
        set -- "$loader" --library-path "$WORK/kexec.d" "$WORK/kexec.d/kexec"
    else
        command -v kexec >/dev/null || refuse 4 'there is no kexec, neither here nor at the boot service'
        set -- kexec
    fi
    KEXEC="$*"
}

rm -rf "$WORK"
mkdir -p "$WORK" || refuse 4 "$WORK cannot be made"
join_network
fetch document "$url/kexec/$(printf '%s' "$mac" | tr : -)"
nothing=$(told nothing)
[ -z "$nothing" ] || refuse 3 "there is nothing to boot: $nothing"
arguments=$(told arguments)
[ -n "$arguments" ] || refuse 4 "$url/kexec did not answer as the boot service does"
part kernel
part initrd
find_kexec
# What the deployer is told besides: how it was entered, and where it finds the boot service.
$KEXEC --load "$WORK/kernel" --initrd="$WORK/initrd" \
    --command-line="$arguments slipway.entered=rescue slipway.vlan=$vlan slipway.address=$address" \
    >/dev/null 2>"$WORK/error" || refuse 4 "kexec does not take the kernel: $(tail -n 1 "$WORK/error")"
rm -f "$WORK/document"
printf '(sleep 1; sync; exec %s --exec) </dev/null >/dev/null 2>&1 &\n' "$KEXEC" >"$WORK/jump"

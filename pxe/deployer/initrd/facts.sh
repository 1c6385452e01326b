# What this machine is, as JSON. Whatever firmware and disks call themselves becomes a string by json_text and no other way.

json_text() {
    case $1 in
        # Nothing to be cleaned or quoted, as most: no process is needed.
        *[!A-Za-z0-9._:/-]*) ;;
        *) printf '"%s"' "$1"; return ;;
    esac
    printf '"%s"' "$(printf '%s' "$1" | tr -cd '\040-\176' | sed 's/[\\"]/\\&/g; s/^ *//; s/ *$//')"
}

# The shell leaves out what is no text, such as NUL.
first_line() {
    first=
    [ ! -r "$1" ] || { read -r first <"$1" || :; } 2>/dev/null
    printf '%s\n' "$first"
}

machine_serial() {
    first_line "$SYS/class/dmi/id/product_serial" | sed 's/^ *//; s/ *$//'
}

machine_product() {
    first_line "$SYS/class/dmi/id/product_name"
}

# Disks that could hold a system: no memory, no loops, no optical drives, nothing that is plugged in by hand.
disk_names() {
    for name in $(ls "$SYS/block"); do
        case $name in
            loop* | ram* | zram* | sr* | fd* | md* | dm-* | nbd*) continue ;;
        esac
        [ "$(first_line "$SYS/block/$name/removable")" = 1 ] && continue
        [ "$(first_line "$SYS/block/$name/size")" -gt 0 ] 2>/dev/null && printf '%s\n' "$name"
    done
}

# The kernel counts in sectors of 512 bytes, whatever the disk's own are.
disk_bytes() {
    echo $(($(first_line "$SYS/block/$1/size") * 512))
}

disk_serial() {
    for place in serial device/serial device/vpd_pg80; do
        if [ -s "$SYS/block/$1/$place" ]; then
            tr -cd '\040-\176' <"$SYS/block/$1/$place"
            return
        fi
    done
}

disk_facts() {
    rotational=false
    [ "$(first_line "$SYS/block/$1/queue/rotational")" = 1 ] && rotational=true
    printf '{"name":%s,"size_bytes":%s,"serial":%s,"model":%s,"rotational":%s}' "$(json_text "$1")" \
        "$(disk_bytes "$1")" "$(json_text "$(disk_serial "$1")")" \
        "$(json_text "$(first_line "$SYS/block/$1/device/model")")" "$rotational"
}

nic_facts() {
    printf '{"name":%s,"mac":%s}' "$(json_text "$1")" "$(json_text "$(first_line "$SYS/class/net/$1/address")")"
}

# Cards with a device behind them: neither loopback nor what software made.
nic_names() {
    for name in $(ls "$SYS/class/net"); do
        [ -e "$SYS/class/net/$name/device" ] && printf '%s\n' "$name"
    done
}

# json_list WRITER NAME...: a list of what the writer makes of each name.
json_list() {
    writer=$1 comma=
    shift
    printf '['
    for item in "$@"; do
        printf '%s' "$comma"
        "$writer" "$item"
        comma=,
    done
    printf ']'
}

facts() {
    firmware=bios
    [ -d "$SYS/firmware/efi" ] && firmware=uefi
    printf '{"serial":%s,"product":%s,"cores":%s,"memory_mib":%s,"nics":%s,"disks":%s,"firmware":"%s"}\n' \
        "$(json_text "$(machine_serial)")" "$(json_text "$(machine_product)")" \
        "$(grep -c '^processor' "$PROC/cpuinfo")" "$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' "$PROC/meminfo") / 1024))" \
        "$(json_list nic_facts $(nic_names))" "$(json_list disk_facts $(disk_names))" "$firmware"
}

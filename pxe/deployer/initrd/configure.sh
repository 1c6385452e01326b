# Keys, name and network of the installed system, in what its image uses.

configure() {
    find_root "$1" || fail configure no_root_filesystem "no partition of $1 has an /etc/passwd"
    place_network
    place_keys
    place_name
    place callback /etc/slipway/callback 0600
    tell_of_vlan
    chmod 0700 "$TARGET/etc/slipway"
    place_first_boot
    sync
    umount "$TARGET" || fail configure write_failed 'the installed system could not be unmounted'
}

# Leaves the partition with the system mounted on $TARGET.
find_root() {
    umount "$TARGET" 2>/dev/null
    for name in $(partitions "$1"); do
        # With its type: a mount without one tries those only whose modules are loaded.
        type=$(blkid -o value -s TYPE "$DEV/$name")
        [ -n "$type" ] && mount -t "$type" "$DEV/$name" "$TARGET" 2>/dev/null || continue
        [ -f "$TARGET/etc/passwd" ] && return 0
        umount "$TARGET"
    done
    return 1
}

has_cloud_init() {
    [ -d "$TARGET/etc/cloud" ]
}

place_network() {
    if has_cloud_init; then
        for name in user-data meta-data network-config; do
            place "$name" "/var/lib/cloud/seed/nocloud/$name" 0600
        done
    elif [ -d "$TARGET/etc/netplan" ]; then
        place netplan.yaml /etc/netplan/50-slipway.yaml 0600
    elif [ -d "$TARGET/etc/network" ]; then
        place interfaces /etc/network/interfaces 0644
        place resolv.conf /etc/resolv.conf 0644
    else
        fail configure no_network_configuration 'the image has neither cloud-init nor netplan nor /etc/network'
    fi
}

# account NAME FIELD: of the image's own /etc/passwd (3: uid, 4: gid, 6: home).
account() {
    awk -F : -v name="$1" -v field="$2" '$1 == name { print $field; exit }' "$TARGET/etc/passwd"
}

place_keys() {
    user=$(plan_value user)
    home=$(account "${user:-root}" 6)
    if [ -z "$home" ]; then
        # cloud-init makes the account at the first boot, with the keys in user-data.
        has_cloud_init && return 0
        fail configure no_such_user "the image has no account $user"
    fi
    owner=$(account "$user" 3):$(account "$user" 4)
    mkdir -p "$TARGET$home/.ssh"
    place authorized_keys "$home/.ssh/authorized_keys" 0600 "$owner"
    chmod 0700 "$TARGET$home/.ssh"
    chown "$owner" "$TARGET$home/.ssh"
}

place_name() {
    place hostname /etc/hostname 0644
    name=$(head -n 1 "$TARGET/etc/hostname")
    case $name in
        '' | *[!A-Za-z0-9.-]*) fail configure bad_file 'the hostname is not one' ;;
    esac
    {
        printf '127.0.0.1 localhost\n'
        if [ "$name" = "${name%%.*}" ]; then
            printf '127.0.1.1 %s\n' "$name"
        else
            printf '127.0.1.1 %s %s\n' "$name" "${name%%.*}"
        fi
        printf '::1 localhost ip6-localhost ip6-loopback\nff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n'
    } >"$TARGET/etc/hosts"
    chmod 0644 "$TARGET/etc/hosts"
}

# The installed system reaches the boot service as we do: the third line of what it calls back with.
tell_of_vlan() {
    [ -z "$(setting slipway.vlan)" ] || printf '%s %s %s\n' "$(setting slipway.vlan)" "$(setting slipway.mac)" \
        "$(setting slipway.address)" >>"$TARGET/etc/slipway/callback"
}

# A system with systemd gets a unit that tells of its first boot; any other reads /etc/slipway/callback itself.
place_first_boot() {
    [ -d "$TARGET/etc/systemd/system" ] && [ -x "$TARGET/bin/bash" ] || return 0
    mkdir -p "$TARGET/etc/systemd/system/multi-user.target.wants" "$TARGET/usr/local/sbin"
    cp "$LIB/first-boot" "$TARGET/usr/local/sbin/slipway-first-boot"
    cp "$LIB/first-boot.service" "$TARGET/etc/systemd/system/slipway-first-boot.service"
    chmod 0755 "$TARGET/usr/local/sbin/slipway-first-boot"
    chmod 0644 "$TARGET/etc/systemd/system/slipway-first-boot.service"
    ln -sf ../slipway-first-boot.service "$TARGET/etc/systemd/system/multi-user.target.wants/slipway-first-boot.service"
}

# A mirror over whole disks. Its metadata lies at the end (version 1.0), so that firmware and boot loader find on each
# disk what they would find on a single one.

# make_mirror NAME NAME: as /dev/md0, anew each time; a half-made one of an earlier attempt is taken apart.
make_mirror() {
    [ $# = 2 ] || fail inspect no_disk "a mirror needs two disks, and the plan names $#"
    modprobe raid1
    mdadm --stop "$DEV/md0" >/dev/null 2>&1
    for name in "$@"; do
        mdadm --zero-superblock --force "$DEV/$name" >/dev/null 2>&1
    done
    mdadm --create "$DEV/md0" --run --force --metadata=1.0 --level=1 --raid-devices=2 --homehost=any --name=0 \
        "$DEV/$1" "$DEV/$2" >"$RUN/mdadm" 2>&1 || fail write raid_failed "$(tail -n 1 "$RUN/mdadm")"
    # What is written goes to both disks at once; the rest is mirrored by the installed system, not while this writes.
    echo frozen >"$SYS/block/md0/md/sync_action" 2>/dev/null
    [ "$(disk_bytes md0)" -ge "$(plan_value image_size)" ] \
        || fail write disk_too_small "the mirror has $(disk_bytes md0) bytes, the image $(plan_value image_size)"
}

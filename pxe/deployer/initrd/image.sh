# An image on a disk: fetched, unpacked and written in one stream, then read back.

install_image() {
    disks=$(planned_disks) && [ -n "$disks" ] \
        || fail inspect no_disk "this machine does not have all of the disks $(plan_value disks)"
    case $(plan_value image_size) in
        '' | *[!0-9]*) fail inspect bad_plan 'image_size is a number of bytes' ;;
    esac
    for name in $disks; do
        [ "$(disk_bytes "$name")" -ge "$(plan_value image_size)" ] || fail inspect disk_too_small \
            "$name has $(disk_bytes "$name") bytes, and the image needs $(plan_value image_size)"
    done
    if [ "$(plan_value layout)" = raid1 ]; then
        target=md0
        make_mirror $disks
    else
        set -- $disks
        target=$1
    fi
    write_image "$target"
    phase verify "$(plan_value image_size) bytes"
    for name in $disks; do
        verify_image "$name"
        [ "$target" = md0 ] || break
    done
    phase configure "$target"
    grow_last_partition "$target"
    configure "$target"
    set_boot_entry $disks
    [ "$target" = md0 ] && mdadm --stop "$DEV/md0" >/dev/null 2>&1
    sync
}

unpack() {
    case $(plan_value image_compression) in
        gzip) gunzip -c ;;
        *) cat ;;
    esac
}

# The file as it is served; leaves $RUN/cut if that was not all of it.
served_image() {
    rm -f "$RUN/cut"
    wget -q -O - "$(plan_value image)" 2>"$RUN/wget" || : >"$RUN/cut"
}

# stream NAME: leaves $RUN/cut, $RUN/packed or $RUN/unwritten if something broke. What cannot be unpacked is read to its
# end nevertheless: only then is it known whether it was served whole. No more is written than the image has.
stream() {
    rm -f "$RUN/packed" "$RUN/unwritten"
    served_image \
        | { unpack 2>/dev/null || { : >"$RUN/packed"; cat >/dev/null; }; } \
        | { dd of="$DEV/$1" bs=1M iflag=fullblock,count_bytes count="$(plan_value image_size)" conv=notrunc,fsync 2>/dev/null \
            || : >"$RUN/unwritten"; cat >/dev/null; }
}

# write_image NAME: three attempts, for a connection may break.
write_image() {
    phase write "$(plan_value image_sha256) to $1"
    for attempt in 1 2 3; do
        stream "$1" &
        WORKER=$!
        watch_worker write "$(plan_value image_size)" "$1"
        [ -e "$RUN/unwritten" ] && fail write write_failed "$1 did not take the image"
        [ -e "$RUN/cut" ] || break
        say "attempt $attempt: $(cat "$RUN/wget")"
        [ "$attempt" = 3 ] && fail write image_cut_off "the image was not served whole: $(cat "$RUN/wget")"
        sleep "${RETRY_PAUSE:-2}"
    done
    [ ! -e "$RUN/packed" ] || fail_for_image write image_unpack "the image is not $(plan_value image_compression)"
}

verify_image() {
    forget_cached "$1"
    found=$(dd if="$DEV/$1" bs=1M iflag=fullblock,count_bytes count="$(plan_value image_size)" 2>/dev/null | hex_digest)
    [ "$found" = "$(plan_value image_content_sha256)" ] || fail_for_image verify verify_failed \
        "$1 reads back as $found and not $(plan_value image_content_sha256)"
}

# fail_for_image PHASE CODE DETAIL: unless the file served is another one. That is asked for once more to be summed up:
# doing it on the way to the disk takes a tenth of an installation's time, and what is read back proves the image.
fail_for_image() {
    served=$(served_image | hex_digest)
    [ -e "$RUN/cut" ] || [ "$served" = "$(plan_value image_sha256)" ] || fail "$1" image_checksum \
        "the image served has the SHA-256 $served and not $(plan_value image_sha256)"
    fail "$@"
}

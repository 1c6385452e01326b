# Nothing of a tenant is left. Each disk is cleared by the best way it has, and is then read in many places: what does
# not read as zeros is overwritten, and read again.

SAMPLES=64
LARGE=1048576
# By its path: busybox's shell would take its own blkdiscard, which cannot write zeros.
BLKDISCARD=${BLKDISCARD:-/usr/sbin/blkdiscard}
SMALL=65536

wipe_disks() {
    disks=$(planned_disks) && [ -n "$disks" ] \
        || fail inspect no_disk "this machine does not have all of the disks $(plan_value disks)"
    [ "$(disk_names | sort)" = "$(printf '%s\n' $disks | sort)" ] \
        || fail inspect disk_not_planned "the plan leaves out some of $(echo $(disk_names))"
    wiping_since=$(date +%s)
    mdadm --stop --scan >/dev/null 2>&1
    phase write "$(echo $disks)"
    wipe_all $disks &
    WORKER=$!
    set -- $disks
    watch_worker write "$(disk_bytes "$1")" "$1" || fail write wipe_failed "not all of $(echo $disks) could be cleared"
    phase verify "$SAMPLES samples a disk"
    for name in $disks; do
        nonzero=$(nonzero_samples "$name")
        [ "$nonzero" = 0 ] \
            || fail verify wipe_failed "$nonzero of $SAMPLES samples of $name are not zeros, or cannot be read"
    done
    printf '{"serial":%s,"disks":%s,"seconds":%s}\n' "$(json_text "$(machine_serial)")" \
        "$(json_list wiped_disk $disks)" "$(($(date +%s) - wiping_since))" >"$RUN/report.json"
    report verify "$RUN/report.json"
}

wiped_disk() {
    printf '{"name":%s,"serial":%s,"size_bytes":%s,"method":"%s","samples":%s,"nonzero_samples":0}' "$(json_text "$1")" \
        "$(json_text "$(disk_serial "$1")")" "$(disk_bytes "$1")" "$(cat "$RUN/method.$1")" "$SAMPLES"
}

# All disks at once: of large ones each takes hours.
wipe_all() {
    for name in "$@"; do
        { wipe_disk "$name" || : >"$RUN/uncleared"; } &
    done
    wait
    [ ! -e "$RUN/uncleared" ]
}

# wipe_disk NAME: notes the way in $RUN/method.NAME.
wipe_disk() {
    for method in secure_erase discard overwrite; do
        "$method" "$1" >/dev/null 2>&1 || continue
        printf '%s' "$method" | tr _ - >"$RUN/method.$1"
        # Some disks say that they have discarded, and have not; some read as anything after it.
        [ "$(nonzero_samples "$1")" = 0 ] && return 0
    done
    return 1
}

# By the drive itself, where it has that and firmware has not locked it.
secure_erase() {
    case $1 in
        nvme*) command -v nvme && nvme format --ses=1 --force "$DEV/$1" ;;
        sd*)
            hdparm -I "$DEV/$1" >"$RUN/identity.$1" || return 1
            grep -q 'not.*frozen' "$RUN/identity.$1" && grep -q 'supported: enhanced erase' "$RUN/identity.$1" || return 1
            hdparm --user-master u --security-set-pass slipway "$DEV/$1" \
                && hdparm --user-master u --security-erase-enhanced slipway "$DEV/$1"
            ;;
        *) return 1 ;;
    esac
}

discard() {
    [ "$(first_line "$SYS/block/$1/queue/discard_max_bytes")" -gt 0 ] && "$BLKDISCARD" -f "$DEV/$1"
}

# In steps, so that progress is seen and the work can be stopped.
overwrite() {
    "$BLKDISCARD" -f -z -p 256M "$DEV/$1" || {
        dd if=/dev/zero of="$DEV/$1" bs=1M iflag=count_bytes count="$(disk_bytes "$1")" conv=notrunc,fsync
    }
}

# nonzero_samples NAME: how many places of a disk are not all zeros, or cannot be read whole. They are spread evenly; the
# first and the last are a MiB, for there lie partition tables and the metadata of RAIDs.
nonzero_samples() {
    forget_cached "$1"
    span=$(($(disk_bytes "$1") - SMALL)) count=0 index=1
    zeros=$(head -c "$SMALL" /dev/zero | hex_digest)
    large_zeros=$(head -c "$LARGE" /dev/zero | hex_digest)
    [ "$(sample "$1" 0 "$LARGE")" = "$large_zeros" ] || count=$((count + 1))
    while [ "$index" -lt $((SAMPLES - 1)) ]; do
        [ "$(sample "$1" $((span / (SAMPLES - 1) * index)) "$SMALL")" = "$zeros" ] || count=$((count + 1))
        index=$((index + 1))
    done
    [ "$(sample "$1" $((span + SMALL - LARGE)) "$LARGE")" = "$large_zeros" ] || count=$((count + 1))
    printf '%s\n' "$count"
}

# sample NAME OFFSET BYTES: the SHA-256 of what is there.
sample() {
    dd if="$DEV/$1" bs="$SMALL" iflag=skip_bytes,count_bytes,fullblock skip="$2" count="$3" 2>/dev/null | hex_digest
}

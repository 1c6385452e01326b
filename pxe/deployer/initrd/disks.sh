# Disks as the kernel has them. A name is one of disk_names, or md0.

# The plan's disks, one a line; fails on one that this machine does not have.
planned_disks() {
    for name in $(plan_value disks | tr ',' ' '); do
        disk_names | grep -qxF -- "$name" || return 1
        printf '%s\n' "$name"
    done
}

# Afterwards a read comes from the disk and not from memory.
forget_cached() {
    sync
    blockdev --flushbufs "$DEV/$1" 2>/dev/null
    [ -w "$PROC/sys/vm/drop_caches" ] && echo 3 >"$PROC/sys/vm/drop_caches"
    return 0
}

reread_partitions() {
    for _ in 1 2 3 4 5; do
        blockdev --rereadpt "$DEV/$1" 2>/dev/null && return 0
        sleep 1
    done
    return 1
}

# Names of a disk's partitions, in the order in which they lie on it.
partitions() {
    for folder in $(find "$SYS/block/$1/" -maxdepth 1 -name "$1*"); do
        [ -e "$folder/partition" ] && echo "$(cat "$folder/start") ${folder##*/}"
    done | sort -n | cut -d ' ' -f 2
}

# Sectors written or discarded since the start: how progress is seen from outside whoever writes.
sectors_done() {
    awk '{ print $7 + $14 }' "$SYS/block/$1/stat"
}

# watch_worker PHASE BYTES NAME: while process $WORKER runs, tell every tenth of the bytes, four seconds apart, and at
# least each minute, so that a deployment that was aborted ends here. Returns as the process did.
watch_worker() {
    began=$(sectors_done "$3") tenth=0 rounds=0
    while kill -0 "$WORKER" 2>/dev/null; do
        sleep 0.25
        rounds=$((rounds + 1))
        [ $((rounds % 16)) = 0 ] || continue
        now=$((($(sectors_done "$3") - began) * 512 * 10 / $2))
        [ "$now" -gt 9 ] && now=9
        if [ "$now" -gt "$tenth" ] || [ "$rounds" -ge 240 ]; then
            tenth=$now rounds=0
            phase "$1" "$((tenth * 10)) %"
        fi
    done
    wait "$WORKER"
    result=$?
    WORKER=
    return "$result"
}

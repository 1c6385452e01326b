# The last partition takes what the image left of the disk. Repeating it changes nothing.

grow_last_partition() {
    reread_partitions "$1" || fail configure grow_failed "the kernel does not read the partitions of $1"
    last=$(partitions "$1" | tail -n 1)
    [ -n "$last" ] || fail configure grow_failed "the image has no partitions"
    number=$(cat "$SYS/block/$1/$last/partition")
    echo ', +' | sfdisk --quiet --no-reread --no-tell-kernel -N "$number" "$DEV/$1" >"$RUN/sfdisk" 2>&1 \
        || fail configure grow_failed "$(tail -n 1 "$RUN/sfdisk")"
    reread_partitions "$1" || fail configure grow_failed "the kernel does not read the partitions of $1 again"
    grow_file_system "$DEV/$last"
}

# Other file systems grow only while mounted, by tools of their own: the installed system does it (cloud-init's growpart).
grow_file_system() {
    [ "$(blkid -o value -s TYPE "$1" | cut -c 1-3)" = ext ] || return 0
    e2fsck -fp "$1" >"$RUN/e2fsck" 2>&1
    # 1: errors were corrected.
    [ $? -le 1 ] || fail configure grow_failed "e2fsck: $(tail -n 1 "$RUN/e2fsck")"
    resize2fs "$1" >"$RUN/resize2fs" 2>&1 || fail configure grow_failed "resize2fs: $(tail -n 1 "$RUN/resize2fs")"
}

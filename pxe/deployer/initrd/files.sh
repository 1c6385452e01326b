# Files of the boot service, as they are to lie on the disk. Their content is copied and never looked into.

# fetched NAME: the path of the file in memory.
fetched() {
    [ -d "$RUN/files" ] || mkdir "$RUN/files"
    if [ ! -e "$RUN/files/$1" ]; then
        persistent "$RUN/files/$1.part" "$(plan_value session)" "files/$1" || return 1
        mv "$RUN/files/$1.part" "$RUN/files/$1"
    fi
    printf '%s\n' "$RUN/files/$1"
}

# place NAME PATH MODE [OWNER]: put it into the installed system, below $TARGET. A link in its place is replaced,
# so that nothing is written anywhere else.
place() {
    source=$(fetched "$1") || {
        stop_if_over_unless_absent
        fail configure file_missing "the boot service did not give $1 ($(cat "$RUN/status"))"
    }
    into=$TARGET$2
    [ -d "${into%/*}" ] || mkdir -p "${into%/*}"
    [ -L "$into" ] && rm -f "$into"
    cp "$source" "$into" && chmod "$3" "$into" && chown "${4:-0:0}" "$into" \
        || fail configure write_failed "$2 could not be written"
}

# 404 is a missing file here, and not a deployment that is over.
stop_if_over_unless_absent() {
    [ "$(cat "$RUN/status")" = 404 ] || stop_if_over
}

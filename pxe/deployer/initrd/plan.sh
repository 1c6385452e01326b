# The plan: lines of name=value. They are compared and cut, and never evaluated.

plan_is_sound() {
    [ -s "$1" ] || return 1
    while IFS= read -r line || [ -n "$line" ]; do
        case ${line%%=*} in
            "$line" | '' | *[!a-z0-9_]*) return 1 ;;
        esac
        case ${line#*=} in
            *[!A-Za-z0-9._:/@+,-]*) return 1 ;;
        esac
    done <"$1"
}

plan_value() {
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
            "$1="*) printf '%s\n' "${line#*=}"; return 0 ;;
        esac
    done <"$RUN/plan"
}

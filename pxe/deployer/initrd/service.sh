# Talking to the boot service. What it answered is in $RUN/status: an HTTP status, or 000 without an answer.

# Percent-encoded, byte by byte: safe in a form, whatever it holds.
encoded() {
    printf '%s' "$1" | od -An -v -tx1 | tr -d '\n' | tr ' ' '%'
}

valid_token() {
    case $1 in
        '' | *[!A-Za-z0-9._-]*) return 1 ;;
    esac
}

deployment() {
    printf '%s/deployments/%s' "$(setting slipway.url)" "$(setting slipway.deployment)"
}

# request OUT TOKEN PATH [wget options]: one attempt; succeeds on 2xx. Debian builds wget without its own timeout (-T).
request() {
    out=$1 token=$2 path=$3
    shift 3
    if timeout -s KILL 60 wget -q -O "$out" --header "Authorization: Bearer $token" "$@" "$(deployment)/$path" 2>"$RUN/wget"; then
        echo 200 >"$RUN/status"
        return 0
    fi
    status=$(sed -n 's/.*server returned error: HTTP[^ ]* \([0-9][0-9][0-9]\).*/\1/p' "$RUN/wget")
    echo "${status:-000}" >"$RUN/status"
    return 1
}

# The same until there is an answer that means something: not for want of a connection, and not while the service fails.
persistent() {
    for pause in 1 1 2 3 5 8 13 20 30 -; do
        request "$@" && return 0
        case $(cat "$RUN/status") in
            000 | 5??) [ "$pause" = - ] || sleep "${RETRY_PAUSE:-$pause}" ;;
            *) return 1 ;;
        esac
    done
    return 1
}

# What the session is refused is over: nothing more is touched, and what runs beside this is ended.
stop_if_over() {
    case $(cat "$RUN/status") in
        401 | 403 | 404 | 410)
            [ -n "${WORKER:-}" ] && kill -9 $WORKER 2>/dev/null
            give_up "the deployment is over ($(cat "$RUN/status"))"
            ;;
    esac
}

# check_in FACTS PLAN: spends the token.
check_in() {
    persistent "$2" "$(setting slipway.token)" checkin --header 'Content-Type: application/json' --post-file "$1"
}

# phase NAME DETAIL: tell how far this is. A boot service that does not answer does not stop the work; one that
# says it is over does.
phase() {
    say "$1: $2"
    persistent /dev/null "$(plan_value session)" phases \
        --post-data "phase=$1&detail=$(encoded "$2")" || stop_if_over
}

# fail PHASE CODE DETAIL: say why, and give up.
fail() {
    [ -n "${WORKER:-}" ] && kill -9 $WORKER 2>/dev/null
    persistent /dev/null "$(plan_value session)" failure \
        --post-data "phase=$1&code=$2&detail=$(encoded "$3")"
    give_up "$1: $2: $3"
}

# report PHASE FILE: hand in a signed document.
report() {
    signature=$(hmac_sha256 "$(plan_value session)" "$2")
    persistent /dev/null "$(plan_value session)" report --header 'Content-Type: application/json' \
        --header "X-Signature: $signature" --post-file "$2" && return 0
    stop_if_over
    fail "$1" report_refused "the boot service answered $(cat "$RUN/status") to the report"
}

# Bytes of a hexadecimal text, each combined with a number: hmac's pads.
xored() {
    for byte in $(printf '%s' "$1" | sed 's/../& /g'); do
        printf "\\$(printf '%03o' $((0x$byte ^ $2)))"
    done
}

hex_digest() {
    sha256sum | cut -d ' ' -f 1
}

unhex() {
    xored "$1" 0
}

# hmac_sha256 KEY FILE (RFC 2104): a key of more than a block is replaced by its digest, a shorter one filled up.
hmac_sha256() {
    if [ "${#1}" -gt 64 ]; then
        key=$(printf '%s' "$1" | hex_digest)
    else
        key=$(printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n')
    fi
    while [ "${#key}" -lt 128 ]; do key=${key}00; done
    inner=$({ xored "$key" 0x36; cat "$2"; } | hex_digest)
    { xored "$key" 0x5c; unhex "$inner"; } | hex_digest
}

# Where things are, what the kernel was told, and how to give up. Tests put other folders in the variables' place.

SYS=${SYS:-/sys}
PROC=${PROC:-/proc}
DEV=${DEV:-/dev}
RUN=${RUN:-/run/slipway}
TARGET=${TARGET:-/mnt}

say() {
    echo "slipway: $*" >&2
}

# The value of a word NAME=VALUE on the kernel's command line. By the shell's own means, as the plan's: a process more
# for each would be hundreds.
setting() {
    read -r words <"$PROC/cmdline" || :
    for word in $words; do
        case $word in
            "$1="*) printf '%s\n' "${word#*=}"; return 0 ;;
        esac
    done
}

# End here: there is nobody to be told, or it has been told.
give_up() {
    say "giving up: $*"
    exit 1
}

# The rescue system: this initrd, with the customer's keys and an SSH server. No disk is touched by it.

rescue() {
    phase configure 'keys and host key'
    keys=$(fetched authorized_keys) || fail configure file_missing "the boot service did not give authorized_keys"
    mkdir -p /root/.ssh /etc/dropbear
    cp "$keys" /root/.ssh/authorized_keys
    chmod 0700 /root /root/.ssh
    chmod 0600 /root/.ssh/authorized_keys
    # -s: keys only; -R: host keys are made when they are needed, new ones each time; -E: it speaks on the console.
    dropbear -s -R -E || fail configure rescue_failed 'no SSH server'
    keep_network
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        [ "$(nc -w 2 127.0.0.1 22 </dev/null 2>/dev/null | head -c 4)" = SSH- ] && break
        sleep 1
    done
    phase first_boot 'the rescue system answers by SSH'
    while :; do sleep 3600; done
}

"""Whether the machine that answers is the one that was meant."""

from collections.abc import Collection

from components.specs.machine_facts import Facts


def differs(serial: str, boot_mac: str, macs: Collection[str], facts: Facts) -> str | None:
    """Say in a sentence why these facts are another machine's, or return None if they are this one's.

    Every recorded card has to be there: one that is missing sits in another machine, or is broken. One that is there
    besides is a matter for an inspection: BMCs bring network cards over USB whose addresses they make up.
    """
    if facts.serial != serial:
        return f"the serial number is '{facts.serial}', and this machine has '{serial}'"
    missing = sorted({boot_mac, *macs} - facts.macs)
    if missing:
        return f"it has no network card {', '.join(missing)}, which this machine has"
    return None

"""What an inspection is held against: the record of what was bought and enrolled."""

from api.machines.models import Machine
from components.specs.machine_facts import Facts

_GIB = 1024**3
_TOLERANCE = 0.9
"""Linux sees less memory than is plugged in, and disks are sold in powers of ten."""


def differences(recorded: Machine, facts: Facts) -> list[str]:
    """Return in sentences in what a machine differs from its record; nothing if it is as recorded."""
    found = []
    if facts.serial != recorded.serial:
        found.append(f"the serial number is '{facts.serial}', recorded is '{recorded.serial}'")
    if recorded.boot_mac not in facts.macs:
        found.append(f"there is no network card {recorded.boot_mac}")
    if facts.cores < recorded.cores:
        found.append(f"there are {facts.cores} cores, recorded are {recorded.cores}")
    if facts.memory_mib < recorded.memory_mib * _TOLERANCE:
        found.append(f"there are {facts.memory_mib} MiB of memory, recorded are {recorded.memory_mib}")
    large = [disk for disk in facts.disks if disk.size_bytes >= recorded.disk_gib * _GIB * _TOLERANCE]
    if len(large) < recorded.disk_count:
        found.append(f"there are {len(large)} disks of {recorded.disk_gib} GiB, recorded are {recorded.disk_count}")
    return found

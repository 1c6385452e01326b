"""Why a machine gives up, as it may say it itself."""

from enum import StrEnum


class FailureCode(StrEnum):
    """What a machine may tell as the cause; any other is stored as ``unknown``, with what it said as the detail."""

    BAD_FILE = "bad_file"
    BAD_PLAN = "bad_plan"
    BOOT_ENTRY = "boot_entry"
    DISK_NOT_PLANNED = "disk_not_planned"
    DISK_TOO_SMALL = "disk_too_small"
    FILE_MISSING = "file_missing"
    GROW_FAILED = "grow_failed"
    IMAGE_CHECKSUM = "image_checksum"
    IMAGE_CUT_OFF = "image_cut_off"
    IMAGE_UNPACK = "image_unpack"
    INSTALLER_FAILED = "installer_failed"
    NO_DISK = "no_disk"
    NO_NETWORK_CONFIGURATION = "no_network_configuration"
    NO_ROOT_FILESYSTEM = "no_root_filesystem"
    NO_SUCH_USER = "no_such_user"
    RAID_FAILED = "raid_failed"
    REPORT_REFUSED = "report_refused"
    RESCUE_FAILED = "rescue_failed"
    UNKNOWN = "unknown"
    VERIFY_FAILED = "verify_failed"
    WIPE_FAILED = "wipe_failed"
    WRITE_FAILED = "write_failed"
    WRONG_MACHINE = "wrong_machine"


_OTHER_NAMES = {"wrong_serial": FailureCode.WRONG_MACHINE}


def failure_code(told: str) -> FailureCode:
    """Return the code that a machine's word stands for."""
    if told in _OTHER_NAMES:
        return _OTHER_NAMES[told]
    try:
        return FailureCode(told)
    except ValueError:
        return FailureCode.UNKNOWN

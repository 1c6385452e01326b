"""What a machine that boots over the network can be told instead of what it asked for."""

from api.errors import Forbidden, InvalidInput, Unauthenticated


class TokenRefused(Forbidden):
    """The token was used before, was replaced by a newer one, or is another machine's. It is good for nothing now."""

    code = "token_misused"
    title = "This token is not good here"


class SessionRefused(Unauthenticated):
    """The session is not this deployment's, or a later boot has replaced it."""

    code = "session_refused"
    title = "This session is not good here"


class DiskTooSmall(InvalidInput):
    """No disk, or no pair of equal disks, holds the image. Nothing was written."""

    code = "disk_too_small"
    title = "The disks are too small for the image"


class WipeUnproven(InvalidInput):
    """The report does not prove that every disk is empty."""

    code = "wipe_unproven"
    title = "The wipe is not proven"


class ReportRefused(InvalidInput):
    """The report is not one, or is not signed by whom it comes from."""

    code = "report_refused"
    title = "The report cannot be believed"


class NothingToInstall(InvalidInput):
    """The deployment does not say what is to be installed, or not by this way."""

    code = "nothing_to_install"
    title = "There is nothing to install"

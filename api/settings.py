"""Settings, read from the environment. There are no default secrets: a missing one stops the start by name."""

from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, AnyHttpUrl, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.db.roles import APP_ROLE


class DatabaseSettings(BaseSettings):
    """Where the application's PostgreSQL and Redis are.

    Attributes:
        database_url: a login that may act as ``database_role``; best one that owns nothing and is a member of that
            role only. Migrations need the owner: MIGRATION_DATABASE_URL, where that is another login.
        database_role: whose rights API and worker have; empty means the login's own.
    """

    model_config = SettingsConfigDict(env_prefix="SLIPWAY_", populate_by_name=True, extra="ignore")

    database_url: Annotated[SecretStr, Field(validation_alias="DATABASE_URL")]
    database_role: Annotated[str, Field(pattern="^[a-z0-9_]{0,63}$")] = APP_ROLE
    redis_url: Annotated[SecretStr, Field(validation_alias="REDIS_URL")]


class MigrationSettings(BaseSettings):
    """Where migrations run: as the owner of the tables."""

    model_config = SettingsConfigDict(populate_by_name=True, extra="ignore")

    database_url: Annotated[SecretStr, Field(validation_alias=AliasChoices("MIGRATION_DATABASE_URL", "DATABASE_URL"))]


class Settings(DatabaseSettings):
    """What the API process needs.

    Attributes:
        master_keys: Fernet keys, comma separated, newest first; they wrap node credentials and stack passphrases.
        public_url: where customers reach the API; Stripe sends them back there.
        stripe_webhook_secrets: comma separated; two while a secret is being rolled.
        stripe_api_base: only for a stand-in; None means Stripe itself.
        checkout_minutes: how long a customer may take to pay; the reservation is held that long. Stripe wants 30
            minutes at least (and a day at most) from the moment that it makes the page, so what is more than 31 is the
            time in which an order can go on after Stripe did not answer at first.
        requests_per_minute: for one caller (token, session or address) over all routes.
        logins_per_minute: for one address, and for one account.
        operation_lifetime_seconds: how long an operation may take in all its attempts.
        platform_environment_file: the providers' credentials for the platform stacks, NAME=value by line, which
            the workers read at the moment of a run; the API only looks whether it is set. None: no platform runs.
        platform_run_lifetime_seconds: how long a platform run may take in all its attempts.
        state_database_url: the database that holds Pulumi's state; its own, never the application's. The API only
            reads there: give it a login that may do no more, for who can write a stack's state can run code.
        machine_inspect_seconds: how long a machine of the pool may take to boot and show its hardware ...
        machine_install_seconds: ... to be installed ...
        machine_wipe_seconds: ... to be wiped, which is hours for large disks without discard ...
        machine_rescue_seconds: ... and to come up with the rescue system, before it is given up.
        alertmanager_tokens: comma separated, two while one is being rolled: who may post alerts. None lets nobody.
    """

    state_database_url: SecretStr
    master_keys: SecretStr
    public_url: AnyHttpUrl
    secure_cookies: bool = True
    stripe_secret_key: SecretStr
    stripe_webhook_secrets: SecretStr
    alertmanager_tokens: SecretStr | None = None
    stripe_api_base: AnyHttpUrl | None = None
    checkout_minutes: Annotated[int, Field(ge=35, le=1430)] = 40
    requests_per_minute: Annotated[int, Field(ge=1)] = 300
    logins_per_minute: Annotated[int, Field(ge=1)] = 10
    currency: Annotated[str, Field(pattern="^[a-z]{3}$")] = "eur"
    operation_lifetime_seconds: Annotated[float, Field(ge=10)] = 3600
    platform_environment_file: Path | None = None
    platform_run_lifetime_seconds: Annotated[float, Field(ge=10)] = 14_400
    machine_inspect_seconds: Annotated[float, Field(gt=0)] = 1800
    machine_install_seconds: Annotated[float, Field(gt=0)] = 3600
    machine_wipe_seconds: Annotated[float, Field(gt=0)] = 43_200
    machine_rescue_seconds: Annotated[float, Field(gt=0)] = 1800


class WorkerSettings(Settings):
    """What a worker needs besides.

    Attributes:
        work_root: private directory for engine work files.
        lease_seconds: a worker that has not renewed its lease for this long has lost the operation.
        operation_deadline_seconds: an engine run longer than this is interrupted.
        machine_deadline_seconds: the same for an operation on a machine, whose installer may take its time ...
        machine_removal_deadline_seconds: ... and for its removal, which may have to overwrite its disks.
        metal_url: where engines reach the API of machines; ``public_url`` if it is not set.
        pxe_url: where machines reach the boot service, as that is told itself; for those that are entered through a
            hosting provider's rescue system.
        pxe_network: the provisioning network in which that address is.
        platform_deadline_seconds: the same for a platform run, which may have to install a machine.
        operation_attempts: after so many failed attempts a retryable failure is final.
        address_quarantine_seconds: how long a released address rests before it is given out again.
        sweep_seconds: how often due work is looked for whose message was lost.
        reconcile_seconds: how often Stripe is asked about unpaid orders ...
        recheck_payment_seconds: ... each of which is asked about no more often than this.
        clones_per_storage: guests created at once on one node's storage (Proxmox VE locks the template).
        audit_verify_seconds: how often the whole audit trail is verified.
        state_prune_seconds: how often the engine's history and backups are pruned.
        state_history_newest: so many operations of a stack keep their history and backup for ever ...
        state_history_days: ... and the others for so many days.
        state_gone_days: a stack that was removed keeps its backups for so many days.
        drift_tick_seconds: how often it is looked which nodes are due for a scan ...
        drift_scan_seconds: ... each of which is looked at no more often than this.
        drift_requests_per_second: what the engine's closer looks may ask of one node, on average.
        drift_suspects_per_run: at most so many closer looks at each tick.
        drift_repairs_harmless: bring back by itself what needs no reboot, replacement or deletion.
        orphan_sweep_seconds: how often things without a counterpart are looked for.
        orphans_removed_automatically: delete confirmed orphans without asking a person.
    """

    cloudflare_api_token: SecretStr
    cloudflare_base_url: AnyHttpUrl | None = None
    work_root: Path
    lease_seconds: Annotated[float, Field(ge=1)] = 30
    operation_deadline_seconds: Annotated[float, Field(ge=10)] = 900
    machine_deadline_seconds: Annotated[float, Field(ge=10)] = 3600
    machine_removal_deadline_seconds: Annotated[float, Field(ge=10)] = 46_800
    metal_url: AnyHttpUrl | None = None
    pxe_url: AnyHttpUrl | None = None
    pxe_network: IPv4Network | None = None
    platform_deadline_seconds: Annotated[float, Field(ge=10)] = 3600
    operation_attempts: Annotated[int, Field(ge=1)] = 5
    clones_per_storage: Annotated[int, Field(ge=1)] = 2
    retry_base_seconds: Annotated[float, Field(gt=0)] = 5
    address_quarantine_seconds: Annotated[float, Field(ge=0)] = 3600
    sweep_seconds: Annotated[float, Field(gt=0)] = 10
    recheck_payment_seconds: Annotated[float, Field(gt=0)] = 300
    reconcile_seconds: Annotated[float, Field(gt=0)] = 120
    audit_verify_seconds: Annotated[float, Field(gt=0)] = 86_400
    state_prune_seconds: Annotated[float, Field(gt=0)] = 3600
    state_history_newest: Annotated[int, Field(ge=1)] = 10
    state_history_days: Annotated[float, Field(ge=0)] = 30
    state_gone_days: Annotated[float, Field(ge=0)] = 90
    drift_tick_seconds: Annotated[float, Field(gt=0)] = 60
    drift_scan_seconds: Annotated[float, Field(gt=0)] = 600
    drift_requests_per_second: Annotated[float, Field(gt=0)] = 0.5
    drift_suspects_per_run: Annotated[int, Field(ge=0)] = 3
    drift_repairs_harmless: bool = False
    orphan_sweep_seconds: Annotated[float, Field(gt=0)] = 900
    orphans_removed_automatically: bool = False

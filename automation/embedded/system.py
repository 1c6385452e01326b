"""A whole Slipway on this machine: servers, lab, API, worker and beat, started in order and stopped in reverse."""

import os
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from api.catalogue.seed import load_catalogue
from api.db.session import Database, connect
from api.machines.lifetimes import lifetimes
from api.vault import Vault, generate_key, generate_passphrase
from automation.embedded.environment import (
    INVENTORY_TOKEN,
    MADE_BY_LAB,
    MADE_HERE,
    MIGRATION_DATABASE_URL,
    PLATFORM_PASSPHRASE,
    check_settings,
    for_api,
    for_boot,
    for_platform,
    for_worker,
    lab_settings,
    local_settings,
    worker_settings,
)
from automation.embedded.errors import StartError
from automation.embedded.home import Home
from automation.embedded.metal import EmbeddedMetal
from automation.embedded.platform_environment import write_platform_environment
from automation.embedded.ports import free_port
from automation.embedded.provision import (
    ensure_administrator,
    ensure_inventory_token,
    import_estate,
    prepare_database,
    read_json,
    register_webhook,
)
from automation.embedded.services import api_service, beat_service, lab_is_installed, lab_service, worker_service
from automation.embedded.stores import start_stores
from automation.embedded.supervisor import Supervisor
from automation.toolchain import ensure_toolchain
from automation.toolchain.progress import Progress

_CHECK_SECONDS = 0.5


@dataclass(frozen=True)
class Administrator:
    """The account made on the first start."""

    email: str
    password: str


@dataclass(frozen=True)
class SystemOptions:
    """What to start.

    Attributes:
        port: of the API; 0 takes any free one.
        lab: start the stand-ins for Proxmox VE, Cloudflare and Stripe; else the real ones are used, by settings.
        lab_options: passed on to ``python -m lab``.
        bare: the lab has nothing yet, and platform stacks make it; else it is there from the start.
        workers: operations carried out at once.
    """

    port: int = 0
    lab: bool = True
    lab_options: tuple[str, ...] = ()
    bare: bool = False
    workers: int = 2


class EmbeddedSystem:
    """A running system in one folder. A context manager: entering starts everything, leaving stops everything.

    ``DATABASE_URL`` and ``REDIS_URL`` in the environment replace the embedded servers, and every setting of
    ``api.settings`` that is given there is used; what is not given is made up once and kept in ``secrets.env``.
    """

    def __init__(
        self,
        home: Path,
        options: SystemOptions = SystemOptions(),
        *,
        environment: Mapping[str, str] | None = None,
        report: Callable[[str], None] = lambda _: None,
        toolchain_progress: Progress | None = None,
    ) -> None:
        """Choose what to start; nothing happens yet.

        Args:
            home: the folder; made if there is none.
            options: what to start.
            environment: the settings given; this process's environment by default.
            report: told each step as it begins, in a few words.
            toolchain_progress: told how the toolchain is made, which takes minutes the first time.
        """
        self._home_path = home
        self._options = options
        self._given = dict(os.environ if environment is None else environment)
        self._report = report
        self._toolchain_progress = toolchain_progress
        self._stack = ExitStack()
        self._settings: dict[str, str] = {}
        self._kept: dict[str, str] = {}
        self._port = options.port
        self._metal: EmbeddedMetal | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything and block until it is ready; what was started is stopped again if anything fails.

        Raises:
            HomeError: if the folder cannot be used or is in use.
            SettingsError: if settings are missing or wrong; nothing has been started then.
            StartError: if the port is taken, or a given server cannot be reached.
            ServiceFailedError: if a process does not come up.
            ToolchainMissingError: if there is no toolchain and it cannot be made.
        """
        with ExitStack() as stack:
            self._home = Home(self._home_path)
            if stack.enter_context(self._home.claimed()):
                self._report("The last start ended without tidying up: taking over")
            self._home.system.unlink(missing_ok=True)
            self._keep_secrets()
            self._check()
            ensure_toolchain(self._toolchain_progress)
            self._supervisor = stack.enter_context(Supervisor(self._home.logs))
            self._port = _port(self._options.port)
            self._start_all()
            stack.callback(self._home.system.unlink, missing_ok=True)
            stack.callback(self._home.platform.unlink, missing_ok=True)
            write_platform_environment(self._home, for_platform(self._settings, self.api_url))
            self._home.write_system(self.document())
            self._stack = stack.pop_all()

    def stop(self) -> None:
        """Stop everything in reverse order; blocks until nothing is left. Harmless to repeat."""
        self._stack.close()

    def wait(self, stop: threading.Event | None = None) -> None:
        """Watch over the processes until ``stop`` is set, or for ever.

        Raises:
            ServiceFailedError: if one ended by itself.
        """
        stop = stop or threading.Event()
        while not stop.wait(_CHECK_SECONDS):
            self._supervisor.check()

    @property
    def api_url(self) -> str:
        """Where the API is, on this machine."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def administrator(self) -> Administrator:
        """The account made on the first start."""
        return Administrator(self._given["SLIPWAY_ADMIN_EMAIL"], self._given["SLIPWAY_ADMIN_PASSWORD"])

    @property
    def lab_document(self) -> Path | None:
        """The lab's ``lab.json``, if there is a lab."""
        return self._home.lab / "lab.json" if self._options.lab else None

    @property
    def has_machines(self) -> bool:
        """Whether the lab has machines that boot."""
        return self._metal is not None

    @property
    def home(self) -> Home:
        """The folder."""
        return self._home

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings that API, worker and beat were started with; secrets among them."""
        return self._settings

    @property
    def processes(self) -> dict[str, int]:
        """The process at the head of each service's tree."""
        return self._supervisor.pids()

    def document(self) -> dict[str, Any]:
        """How to reach the system, as ``system.json`` holds it."""
        lab = self.lab_document
        return {
            "pid": os.getpid(),
            "api_url": self.api_url,
            "admin": {"email": self.administrator.email, "password": self.administrator.password},
            "lab": str(lab) if lab else None,
            "database_url": self._settings["DATABASE_URL"],
            "state_database_url": self._settings["SLIPWAY_STATE_DATABASE_URL"],
            "redis_url": self._settings["REDIS_URL"],
            "logs": str(self._home.logs),
            "processes": self.processes,
        }

    def _check(self) -> None:
        """Refuse what cannot work before anything is started."""
        if not self._options.lab:
            check_settings(self._given, MADE_HERE)
        elif lab_is_installed():
            check_settings(self._given, MADE_HERE | MADE_BY_LAB)
        else:
            raise StartError("the lab is not installed here (it is part of the source tree): use --no-lab")

    def _keep_secrets(self) -> None:
        """Make up what nobody gave, and remember it for the next start."""
        kept = self._home.read_secrets()
        fresh = {
            "SLIPWAY_MASTER_KEYS": generate_key(),
            "SLIPWAY_ADMIN_EMAIL": "admin@slipway.example",
            "SLIPWAY_ADMIN_PASSWORD": secrets.token_urlsafe(18),
            PLATFORM_PASSPHRASE: generate_passphrase(),
        }
        lacking = {name: value for name, value in fresh.items() if not kept.get(name)}
        if lacking:
            self._home.keep_secrets({**kept, **lacking})
        self._kept = {**kept, **lacking}
        self._given = {**self._kept, **{name: value for name, value in self._given.items() if value}}

    def _start_all(self) -> None:
        home = self._home
        here = local_settings(self._given, api_url=self.api_url, work_root=home.work, platform_file=home.platform)
        if self._options.lab:
            self._report("Starting the lab: Proxmox VE nodes, Cloudflare, Stripe")
            log = self._home.logs / "lab.log"
            self._supervisor.launch(lab_service(self._home.lab, log, self._lab_options))
        stores = start_stores(self._given, self._home, self._supervisor, self._report)
        self._settings = {**self._given, **here, **stores}
        if self._options.lab:
            self._settings |= lab_settings(self._lab)
            self._settings |= self._find_metal()
        self._prepare()
        self._report("Starting API, worker and scheduler")
        worker = f"slipway-{os.getpid()}@{socket.gethostname()}"
        self._supervisor.start(
            api_service(for_api(self._settings), self._port),
            worker_service(for_worker(self._settings), worker, self._options.workers),
            beat_service(for_worker(self._settings), self._home.schedule),
            *([] if self._metal is None else [self._metal.service(for_boot(self._settings))]),
        )
        if self._options.lab:
            register_webhook(self._settings, self.api_url)

    @property
    def _lab(self) -> dict[str, Any]:
        return read_json(self._home.lab / "lab.json")

    def _find_metal(self) -> dict[str, str]:
        """The settings for the lab's machines, if it has any."""
        section = self._lab.get("metal")
        if not section:
            return {}
        self._metal = EmbeddedMetal(section, self._lab["control_token"], self._home.path / "pxe")
        return self._metal.settings(self.api_url)

    @property
    def _lab_options(self) -> tuple[str, ...]:
        return (*self._options.lab_options, *(("--bare",) if self._options.bare else ()))

    def _prepare(self) -> None:
        self._report("Preparing the database")
        database = connect(self._settings.get(MIGRATION_DATABASE_URL) or self._settings["DATABASE_URL"])
        try:
            catalogue = None if self._metal is None else self._metal.catalogue(load_catalogue())
            prepare_database(database, currency=self._settings.get("SLIPWAY_CURRENCY", "eur"), catalogue=catalogue)
            if self._options.lab and not self._options.bare:
                import_estate(database, self._vault, self._home.lab / "estate.json")
                self._take_machines_in(database)
            ensure_administrator(database, self.administrator.email, self.administrator.password)
            self._keep_inventory_token(database)
        finally:
            database.close()

    def take_machines_in(self) -> None:
        """Tell the pool of the lab's machines, once their site exists, and have new ones inspected and wiped.

        Harmless to repeat; does nothing without machines.
        """
        database = connect(self._settings["DATABASE_URL"])
        try:
            self._take_machines_in(database)
        finally:
            database.close()

    def _take_machines_in(self, database: Database) -> None:
        if self._metal is None:
            return
        self._report("Taking the lab's machines into the pool")
        self._metal.stock_images()
        self._metal.enroll(database, self._vault)
        self._metal.serve_dhcp(database)
        self._metal.inspect(database, lifetimes(worker_settings(self._settings)))

    @property
    def _vault(self) -> Vault:
        return Vault(self._settings["SLIPWAY_MASTER_KEYS"])

    def _keep_inventory_token(self, database: Database) -> None:
        kept = self._settings.get(INVENTORY_TOKEN)
        token = ensure_inventory_token(database, self.administrator.email, kept)
        if token != kept:
            self._kept |= {INVENTORY_TOKEN: token}
            self._home.keep_secrets(self._kept)
        self._settings |= {INVENTORY_TOKEN: token}


def _port(wanted: int) -> int:
    """Make sure that nobody listens on a port; 0 chooses one.

    Raises:
        StartError: if it is taken.
    """
    if not wanted:
        return free_port("127.0.0.1")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except (OSError, OverflowError) as error:
            raise StartError(f"port {wanted} cannot be used ({error}): give another with --port") from error
    return wanted

"""Serves the plugin on a free port of this machine; started by the engine."""

import importlib
import importlib.util
import sys
from concurrent import futures
from typing import Any

from automation.toolchain.parts import CLOUDFLARE
from automation.toolchain.plugins.serving import serve_until_stopped


def _skip_sdk_initialisation() -> None:
    """Make the SDK's generated protocol importable without running the SDK's own ``__init__``.

    The protocol (``pulumi.runtime.proto``) needs nothing else of it, and the rest takes 0.24 s of processor time, at
    every order. Nothing in this process uses the rest.
    """
    for name in ("pulumi", "pulumi.runtime"):
        spec = importlib.util.find_spec(name)
        if spec is not None and name not in sys.modules:
            sys.modules[name] = importlib.util.module_from_spec(spec)


def import_service() -> Any:
    """The service, imported late: the SDK's ``__init__`` must be out of the way before."""
    _skip_sdk_initialisation()
    return importlib.import_module("automation.toolchain.plugins.cloudflare.service")


def serve() -> None:
    """Serve until the engine ends this process."""
    service = import_service()
    server = service.grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    service.provider_pb2_grpc.add_ResourceProviderServicer_to_server(service.CloudflareProvider(), server)
    serve_until_stopped(server)


if __name__ == "__main__":
    # As the official plugins do: this is how an installed one is asked for its version.
    if "-version" in sys.argv:
        sys.stdout.write(f"{CLOUDFLARE.version}\n")
    else:
        serve()

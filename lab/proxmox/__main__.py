"""The process of the Proxmox nodes: settings on standard input, ports on standard output (lab.child)."""

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack

from fakepve.certs import make_cert

from lab.child import end_with_parent, read_settings
from lab.document import port_of
from lab.estate import Node, WorkloadClass
from lab.faults.rules import FaultTable
from lab.memory import Memory
from lab.proxmox.control import control_app
from lab.proxmox.node import LabNode
from lab.proxmox.settings import ProxmoxSettings
from lab.serving import bind, serve_until_told


async def _serve(settings: ProxmoxSettings) -> None:
    faults = FaultTable()
    nodes = [
        LabNode(
            Node(item.name, WorkloadClass(item.workload_class)),
            item.api_token,
            item.password,
            faults,
            port_of(item.endpoint),
            bare=settings.bare,
            blank=settings.blank,
        )
        for item in settings.section.nodes
    ]
    memory = Memory(settings.memory)
    earlier = memory.recall() or {}
    for node in nodes:
        if node.host_name in earlier:
            node.remember(earlier[node.host_name])
    async with AsyncExitStack() as stack:
        # Nodes are switched on again later, and read it anew.
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lab-tls-"))
        certificate, key, _ = make_cert(folder, hosts=("127.0.0.1",))
        shutil.copyfile(certificate, settings.section.ca_file)
        for node in nodes:
            node.task_delay = settings.task_delay
            await node.stand_ready(certificate, key)
            stack.push_async_callback(node.stop)
        control = control_app(nodes, faults, settings.control_token)
        ports = {"control": await bind(stack, control, port_of(settings.section.control_url))}
        await serve_until_told({**ports, **{node.host_name: node.port for node in nodes}})
        memory.keep({node.host_name: node.remembered() for node in nodes})
        faults.clear()


def main() -> None:
    """Serve until the supervisor ends or asks this process to."""
    settings = read_settings(ProxmoxSettings)
    end_with_parent()
    asyncio.run(_serve(settings))


if __name__ == "__main__":
    main()

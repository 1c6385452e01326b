"""Whether a deployment hangs together: what the engine itself checks before it uses one. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

_PROVIDER = "pulumi:providers:"


def faults(deployment: Mapping[str, Any]) -> list[str]:
    """Return what is wrong, a sentence each; the engine refuses a state with any of it.

    Each resource stands once, and after all that it refers to: its parent, its dependencies, its provider.
    """
    found: list[str] = []
    urns: set[str] = set()
    providers: set[str] = set()
    for resource in deployment.get("resources") or []:
        urn = resource["urn"]
        if urn in urns and not resource.get("delete"):
            found.append(f"{urn} stands there twice")
        if resource["type"].startswith(_PROVIDER):
            providers.add(f"{urn}::{resource.get('id', '')}")
        provider = resource.get("provider")
        if provider and provider not in providers and not resource.get("pendingReplacement"):
            found.append(f"{urn} refers to the provider {provider}, which is not there before it")
        found += [f"{urn} refers to {other}, which is not there before it" for other in _references(resource) - urns]
        urns.add(urn)
    return found


def _references(resource: Mapping[str, Any]) -> set[str]:
    return {urn for urn in _all_references(resource) if urn}


def _all_references(resource: Mapping[str, Any]) -> Iterator[str]:
    yield resource.get("parent") or ""
    yield resource.get("deletedWith") or ""
    yield from resource.get("dependencies") or []
    yield from resource.get("replaceWith") or []
    for urns in (resource.get("propertyDependencies") or {}).values():
        yield from urns or []

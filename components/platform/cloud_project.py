"""What a stack has at Hetzner Cloud already, so that a create whose answer was lost is taken over by the next run.

The engine keeps nothing of a create that failed, and Hetzner refuses a second thing of the same name: without a look
first, each such accident would need ``pulumi import`` by hand.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pulumi

_ENDPOINT = "https://api.hetzner.cloud/v1"
_TIMEOUT = 30.0
_PAGE = 50


class CloudProject:
    """The things of one stack, told by their labels, in the project that the token opens.

    Args:
        http: the project; None stands for one in which nothing is.
        labels: what each of the stack's things is labelled with.
    """

    def __init__(self, http: httpx.Client | None, labels: Mapping[str, str]) -> None:
        self._http = http
        self.labels = dict(labels)
        self._found: dict[str, dict[str, Mapping[str, Any]]] = {}

    @classmethod
    def of_environment(cls, labels: Mapping[str, str]) -> "CloudProject":
        """The project that ``HCLOUD_TOKEN`` opens, which is where the engine's plugin works, too. Sends nothing.

        Raises:
            pulumi.RunError: if the variable is not set.
        """
        token = os.environ.get("HCLOUD_TOKEN")
        if not token:
            raise pulumi.RunError("set HCLOUD_TOKEN to the token of the Hetzner Cloud project that this estate is in")
        endpoint = os.environ.get("HCLOUD_ENDPOINT") or _ENDPOINT
        headers = {"Authorization": f"Bearer {token}"}
        return cls(httpx.Client(base_url=endpoint, headers=headers, timeout=_TIMEOUT), labels)

    def find(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """Return the stack's thing of a kind, such as ``networks``, by its name; None if there is none.

        The first question about a kind blocks for a request a page.

        Raises:
            pulumi.RunError: if Hetzner does not answer, or does not accept the token.
        """
        if kind not in self._found:
            self._found[kind] = {item["name"]: item for item in self._all(kind)}
        return self._found[kind].get(name)

    def identity(self, kind: str, name: str) -> str | None:
        """Return the id of the stack's thing of a kind by its name, for ``import_``; None if there is none.

        The engine imports only what its state does not know under this id.
        """
        found = self.find(kind, name)
        return None if found is None else str(found["id"])

    def _all(self, kind: str) -> Iterator[Mapping[str, Any]]:
        selector = ",".join(f"{key}={value}" for key, value in sorted(self.labels.items()))
        page: int | None = 1 if self._http is not None else None
        while page is not None:
            answer = self._get(f"/{kind}", {"label_selector": selector, "page": page, "per_page": _PAGE})
            yield from answer[kind]
            page = answer["meta"]["pagination"]["next_page"]

    def _get(self, path: str, query: Mapping[str, str | int]) -> Any:
        assert self._http is not None  # noqa: S101 - the only caller asks first
        try:
            answer = self._http.get(path, params=dict(query))
            answer.raise_for_status()
            return answer.json()
        except httpx.HTTPStatusError as error:
            reason = f"{error.response.status_code}: {error.response.text[:200]}"
            raise pulumi.RunError(f"Hetzner Cloud refuses to list {path[1:]} ({reason}); check HCLOUD_TOKEN") from None
        except httpx.HTTPError as error:
            raise pulumi.RunError(f"Hetzner Cloud does not answer ({type(error).__name__}); run again") from None

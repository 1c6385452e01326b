"""The provider's side of Pulumi's plugin protocol (``provider.proto``).

Secrets, outputs and resource references are not accepted, so that the engine unwraps them and marks the results
itself: properties then are plain JSON, unknown values a well-known string.
"""

import functools
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from automation.toolchain.parts import CLOUDFLARE
from automation.toolchain.plugins.cloudflare.client import DEFAULT_BASE_URL, CloudflareClient, CloudflareError
from automation.toolchain.plugins.cloudflare.handler import ResourceHandler
from automation.toolchain.plugins.cloudflare.model import Properties
from automation.toolchain.plugins.cloudflare.resources import MODELS
from automation.toolchain.plugins.cloudflare.schema import package_schema


def _properties(message: struct_pb2.Struct) -> Properties:
    """A message as plain values; what is null is as good as absent."""
    values: Properties = json_format.MessageToDict(message)
    return {name: value for name, value in values.items() if value is not None}


def _message(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(dict(properties), struct_pb2.Struct())


def _reported(method: Callable[..., Any]) -> Callable[..., Any]:
    """Have the engine show a ``CloudflareError``'s message instead of a traceback."""

    @functools.wraps(method)
    def call(self: "CloudflareProvider", request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request)
        except CloudflareError as error:
            code = grpc.StatusCode.ALREADY_EXISTS if error.status == 409 else grpc.StatusCode.UNKNOWN  # noqa: PLR2004 -- HTTP
            return context.abort(code, str(error))

    return call


class CloudflareProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine.

    Args:
        environment: where ``CLOUDFLARE_API_TOKEN`` and ``CLOUDFLARE_BASE_URL`` are read; this process's by default.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._config: Mapping[str, Any] = {}
        self._client: CloudflareClient | None = None

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- the protocol's name
        """Say which version of the official plugin this stands for."""
        del request, context
        return plugin_pb2.PluginInfo(version=CLOUDFLARE.version)

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- the protocol's name
        """The package's schema, of the resources served."""
        del request, context
        return provider_pb2.GetSchemaResponse(schema=json.dumps(package_schema()))

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- the protocol's name
        """Every configuration is taken; what is missing shows at the first call."""
        del context
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- the protocol's name
        """No configuration makes other objects of those there are."""
        del request, context
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- the protocol's name
        """Remember the provider's own arguments, which go before the environment."""
        del context
        self._config = _properties(request.args)
        self._client = None
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    @_reported
    def Check(self, request: Any) -> Any:  # noqa: N802 -- the protocol's name
        """Find inputs that cannot be right."""
        failures = self._handler(request.urn).model.check(_properties(request.news))
        return provider_pb2.CheckResponse(
            inputs=request.news,
            failures=[provider_pb2.CheckFailure(property=item.property, reason=item.reason) for item in failures],
        )

    @_reported
    def Diff(self, request: Any) -> Any:  # noqa: N802 -- the protocol's name
        """Tell what changes, and whether it can be changed in place."""
        handler = self._handler(request.urn)
        old = _properties(request.old_inputs) or _properties(request.olds)
        changed, replaces = handler.model.changes(old, _properties(request.news), handler.zone_name)
        kinds = provider_pb2.PropertyDiff
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=changed,
            replaces=replaces,
            hasDetailedDiff=True,
            detailedDiff={
                name: kinds(kind=kinds.UPDATE_REPLACE if name in replaces else kinds.UPDATE, inputDiff=True)
                for name in changed
            },
        )

    @_reported
    def Create(self, request: Any) -> Any:  # noqa: N802 -- the protocol's name
        """Make the object, or say what it would be."""
        handler, inputs = self._handler(request.urn), _properties(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=_message(handler.model.planned(inputs)))
        resource_id, outputs = handler.create(inputs)
        return provider_pb2.CreateResponse(id=resource_id, properties=_message(outputs))

    @_reported
    def Read(self, request: Any) -> Any:  # noqa: N802 -- the protocol's name
        """Read the object; an answer without an id tells that it is gone."""
        state, inputs = _properties(request.properties), _properties(request.inputs)
        found = self._handler(request.urn).read(request.id, state, inputs)
        if found is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=found.id, properties=_message(found.outputs), inputs=_message(found.inputs))

    @_reported
    def Update(self, request: Any) -> Any:  # noqa: N802 -- the protocol's name
        """Change the object, or say what it would be."""
        handler, new = self._handler(request.urn), _properties(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=_message(handler.model.planned(new)))
        old = _properties(request.old_inputs) or _properties(request.olds)
        return provider_pb2.UpdateResponse(properties=_message(handler.update(request.id, old, new)))

    @_reported
    def Delete(self, request: Any) -> Any:  # noqa: N802 -- the protocol's name
        """Take the object away."""
        self._handler(request.urn).delete(request.id, _properties(request.properties))
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- the protocol's name
        """Nothing runs longer than a request's own deadline."""
        del request, context
        return empty_pb2.Empty()

    def _handler(self, urn: str) -> ResourceHandler:
        # urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME; a name may hold "::" itself.
        token = urn.split("::", 3)[2].rpartition("$")[2]
        if token not in MODELS:
            raise CloudflareError(
                f"{token} is not among the resources that Slipway's own Cloudflare plugin serves "
                f"({', '.join(MODELS)}); install the official plugin {CLOUDFLARE.version} for it"
            )
        return ResourceHandler(MODELS[token], self._api())

    def _api(self) -> CloudflareClient:
        if self._client is None:
            token = self._config.get("apiToken") or self._environment.get("CLOUDFLARE_API_TOKEN")
            if not token:
                raise CloudflareError("There is no Cloudflare token: set CLOUDFLARE_API_TOKEN to an API token")
            url = self._config.get("baseUrl") or self._environment.get("CLOUDFLARE_BASE_URL") or DEFAULT_BASE_URL
            self._client = CloudflareClient(token, url)
        return self._client

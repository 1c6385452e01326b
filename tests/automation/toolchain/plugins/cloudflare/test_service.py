"""The plugin over gRPC, as the engine speaks to it."""

import json
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from automation.toolchain.plugins.cloudflare.model import UNKNOWN
from automation.toolchain.plugins.cloudflare.resources import MODELS
from automation.toolchain.plugins.cloudflare.service import CloudflareProvider
from tests.fakes.cloudflare_server import TOKEN, ZONE_ID, Cloudflare

pytestmark = pytest.mark.processes

URN = "urn:pulumi:s::p::slipway:compute:Vm$cloudflare:index/dnsRecord:DnsRecord::a::b"
RECORD: dict[str, Any] = {"zoneId": ZONE_ID, "name": "www", "type": "A", "content": "203.0.113.1", "ttl": 300.0}


def message(values: dict[str, Any]) -> struct_pb2.Struct:
    """Properties as they travel."""
    return json_format.ParseDict(values, struct_pb2.Struct())


@pytest.fixture
def environment(cloudflare: Cloudflare) -> dict[str, str]:
    """What the plugin finds in its environment."""
    return {"CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLARE_BASE_URL": cloudflare.url}


@pytest.fixture
def plugin(environment: dict[str, str]) -> Iterator[Any]:
    """A connection to a served plugin."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(CloudflareProvider(environment), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield provider_pb2_grpc.ResourceProviderStub(channel)
    server.stop(grace=None).wait()


def test_it_takes_neither_secrets_nor_outputs_and_previews(plugin: Any) -> None:
    """The engine unwraps secrets and marks what comes back."""
    answer = plugin.Configure(provider_pb2.ConfigureRequest())
    assert answer.supportsPreview
    assert (answer.acceptSecrets, answer.acceptOutputs, answer.acceptResources) == (False, False, False)


def test_bad_inputs_come_back_as_failures(plugin: Any) -> None:
    """With the property that each is about."""
    inputs = message({**RECORD, "content": "no address"})
    (failure,) = plugin.Check(provider_pb2.CheckRequest(urn=URN, news=inputs)).failures
    assert failure.property == "content"


def test_a_preview_makes_nothing(plugin: Any) -> None:
    """What only a creation tells is unknown."""
    made = plugin.Create(provider_pb2.CreateRequest(urn=URN, properties=message(RECORD), preview=True))
    assert made.id == ""
    assert made.properties["createdOn"] == UNKNOWN
    changed = plugin.Update(provider_pb2.UpdateRequest(urn=URN, id="x", news=message(RECORD), preview=True))
    assert changed.properties["name"] == "www"


def test_a_record_is_made_read_changed_and_taken_away(plugin: Any) -> None:
    """Every call of a life."""
    made = plugin.Create(provider_pb2.CreateRequest(urn=URN, properties=message(RECORD)))
    read = plugin.Read(
        provider_pb2.ReadRequest(urn=URN, id=made.id, properties=made.properties, inputs=message(RECORD))
    )
    assert (read.id, read.properties, read.inputs) == (made.id, made.properties, message(RECORD))
    new = message({**RECORD, "content": "203.0.113.2"})
    update = provider_pb2.UpdateRequest(urn=URN, id=made.id, olds=made.properties, news=new, old_inputs=message(RECORD))
    changed = plugin.Update(update)
    assert changed.properties["content"] == "203.0.113.2"
    plugin.Delete(provider_pb2.DeleteRequest(urn=URN, id=made.id, properties=changed.properties))
    gone = plugin.Read(
        provider_pb2.ReadRequest(urn=URN, id=made.id, properties=changed.properties, inputs=message(RECORD))
    )
    assert gone.id == ""


def test_a_difference_tells_what_changes_and_what_is_replaced(plugin: Any) -> None:
    """Against the old inputs, or the old state where those are not told."""
    kinds = provider_pb2.PropertyDiff
    news = message({**RECORD, "zoneId": "other", "ttl": 600})
    answer = plugin.Diff(provider_pb2.DiffRequest(urn=URN, id="x", old_inputs=message(RECORD), news=news))
    assert answer.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert list(answer.replaces) == ["zoneId"]
    assert {name: diff.kind for name, diff in answer.detailedDiff.items()} == {
        "zoneId": kinds.UPDATE_REPLACE,
        "ttl": kinds.UPDATE,
    }
    same = plugin.Diff(provider_pb2.DiffRequest(urn=URN, id="x", olds=message(RECORD), news=message(RECORD)))
    assert same.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_a_refusal_reaches_the_engine_in_words(plugin: Any) -> None:
    """Not as a traceback."""
    plugin.Create(provider_pb2.CreateRequest(urn=URN, properties=message(RECORD)))
    with pytest.raises(grpc.RpcError) as caught:
        plugin.Create(provider_pb2.CreateRequest(urn=URN, properties=message(RECORD)))
    assert caught.value.code() == grpc.StatusCode.ALREADY_EXISTS
    assert caught.value.details().startswith("It exists already")


def test_a_resource_that_is_not_served_is_told(plugin: Any) -> None:
    """With what is, and the way to the rest."""
    with pytest.raises(grpc.RpcError) as caught:
        plugin.Check(provider_pb2.CheckRequest(urn=URN.replace("dnsRecord:DnsRecord", "pageRule:PageRule")))
    assert "install the official plugin 6.23.1" in caught.value.details()


def test_a_missing_token_is_told_with_its_name(plugin: Any, environment: dict[str, str]) -> None:
    """At the first call that needs it."""
    del environment["CLOUDFLARE_API_TOKEN"]
    with pytest.raises(grpc.RpcError) as caught:
        plugin.Create(provider_pb2.CreateRequest(urn=URN, properties=message(RECORD)))
    assert "set CLOUDFLARE_API_TOKEN" in caught.value.details()


def test_arguments_of_the_provider_go_before_the_environment(plugin: Any, environment: dict[str, str]) -> None:
    """As with the official plugin."""
    arguments = message({"apiToken": environment.pop("CLOUDFLARE_API_TOKEN")})
    plugin.Configure(provider_pb2.ConfigureRequest(args=arguments))
    assert plugin.Create(provider_pb2.CreateRequest(urn=URN, properties=message(RECORD))).id


def test_it_tells_version_and_schema(plugin: Any) -> None:
    """For `pulumi plugin` and `pulumi package get-schema`."""
    assert plugin.GetPluginInfo(empty_pb2.Empty()).version == "6.23.1"
    schema = json.loads(plugin.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    assert set(schema["resources"]) == set(MODELS)
    setting = schema["resources"]["cloudflare:index/zoneSetting:ZoneSetting"]
    assert setting["requiredInputs"] == ["zoneId", "settingId", "value"]

"""Serves the rules to the engine: ``Analyzer`` of Pulumi's ``analyzer.proto``, with the SDK's own stubs.

``pulumi-policy`` is not used: it gives a pack no access to the stack's configuration where the engine starts it by way
of the language host, and our facts are there; and it would hold every process of ours at an old protobuf.
"""

import sys
from collections.abc import Iterable, Iterator
from concurrent import futures
from datetime import UTC, datetime
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2

from components.plans import PlanDocument
from components.policy.context import PolicyContext
from components.policy.evaluate import evaluate
from components.policy.platform import PLATFORM_RULES
from components.policy.rule import Rule, RuleResult, Scope, Severity
from components.policy.rules import RULES
from components.policy.rules.data_loss import RULE as DATA_LOSS
from components.specs.platform import parse_platform_stack
from stacks.policy.facts import BadConfiguration, context_of
from stacks.policy.resources import is_judged, step_of

PACK, VERSION = "slipway", "1.0.0"
NOT_CHECKED = "not-checked"
ASKED = tuple(rule for rule in RULES if rule is not DATA_LOSS)
_BLIND = f"{DATA_LOSS.name}: the engine does not tell a policy pack what would be replaced or deleted"
_MAX_MESSAGE_BYTES = 400 * 1024 * 1024  # as the SDK and the engine set it
_LEVELS = {Severity.MANDATORY: analyzer_pb2.MANDATORY, Severity.ADVISORY: analyzer_pb2.ADVISORY}
_TYPES = {Scope.STEP: analyzer_pb2.POLICY_TYPE_RESOURCE, Scope.PLAN: analyzer_pb2.POLICY_TYPE_STACK}


class PackAnalyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """Answers the engine. It judges nothing before it was told the stack's configuration."""

    def __init__(self) -> None:
        self._context: PolicyContext | None = None
        self._rules: tuple[Rule, ...] = ASKED
        self._blind: tuple[str, ...] = (_BLIND,)

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- the protocol's name
        """Nothing to agree on."""
        del request, context
        return analyzer_pb2.AnalyzerHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- the protocol's name
        """Say which version of the pack this is."""
        del request, context
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetAnalyzerInfo(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- the protocol's name
        """List the rules."""
        del request, context
        unchecked = analyzer_pb2.PolicyInfo(
            name=NOT_CHECKED,
            description="rules that could not be asked here",
            enforcementLevel=analyzer_pb2.ADVISORY,
            policy_type=analyzer_pb2.POLICY_TYPE_STACK,
        )
        return analyzer_pb2.AnalyzerInfo(
            name=PACK,
            displayName="Slipway",
            version=VERSION,
            policies=[*map(_info, (*ASKED, *PLATFORM_RULES)), unchecked],
        )

    def ConfigureStack(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- as above
        """Choose the rules by the stack's name, and read the facts from its configuration.

        A configuration that cannot be read ends the operation.
        """
        if parse_platform_stack(request.stack) is not None:
            self._context, self._rules, self._blind = PolicyContext(now=datetime.now(UTC)), PLATFORM_RULES, ()
            return analyzer_pb2.AnalyzerStackConfigureResponse()
        try:
            self._context = context_of(request.config)
        except BadConfiguration as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return analyzer_pb2.AnalyzerStackConfigureResponse()

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- the protocol's name
        """Take no configuration of the pack's own: a rule cannot be switched off."""
        del request, context
        return empty_pb2.Empty()

    def Remediate(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- the protocol's name
        """Mend nothing."""
        del request, context
        return analyzer_pb2.RemediateResponse()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- the protocol's name
        """Nothing is under way for long; the engine ends this process itself."""
        del request, context
        return empty_pb2.Empty()

    def Analyze(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- the protocol's name
        """Judge one resource, before anything is done to it."""
        del context
        if not is_judged(request.type):
            return analyzer_pb2.AnalyzeResponse()
        results = self._ask([request], (rule for rule in self._rules if rule.scope is Scope.STEP))
        return analyzer_pb2.AnalyzeResponse(diagnostics=_complaints(results, request.urn))

    def AnalyzeStack(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- the protocol's name
        """Judge all resources together, and say which rules could not be asked."""
        del context
        results = self._ask(request.resources, self._rules)
        together = {rule.name for rule in self._rules if rule.scope is Scope.PLAN}
        complaints = _complaints((result for result in results if result.rule in together), "")
        skipped = [*self._blind, *(f"{result.rule}: {result.message}" for result in results if result.skipped)]
        told = [_diagnostic(NOT_CHECKED, analyzer_pb2.ADVISORY, "; ".join(skipped), "")] if skipped else []
        return analyzer_pb2.AnalyzeResponse(diagnostics=[*complaints, *told])

    def _ask(self, resources: Iterable[Any], rules: Iterable[Rule]) -> tuple[RuleResult, ...]:
        if self._context is None:
            raise RuntimeError("the engine has not told the stack's configuration")
        document = PlanDocument(steps=tuple(step_of(resource) for resource in resources if is_judged(resource.type)))
        return evaluate(document, self._context, rules=tuple(rules), may_skip=True)


def serve() -> None:
    """Serve on a free port of this machine, told on standard output, until the engine ends this process."""
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=4), options=(("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),)
    )
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(PackAnalyzer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    try:
        server.wait_for_termination()
    except KeyboardInterrupt:  # Ctrl-C reaches the engine's whole process group
        server.stop(grace=None)


def _info(rule: Rule) -> Any:
    return analyzer_pb2.PolicyInfo(
        name=rule.name,
        description=rule.meaning,
        enforcementLevel=_LEVELS[rule.severity],
        policy_type=_TYPES[rule.scope],
    )


def _complaints(results: Iterable[RuleResult], urn: str) -> Iterator[Any]:
    return (
        _diagnostic(result.rule, _LEVELS[result.severity], result.message, urn)
        for result in results
        if not result.passed
    )


def _diagnostic(policy: str, level: Any, message: str, urn: str) -> Any:
    return analyzer_pb2.AnalyzeDiagnostic(
        policyName=policy,
        policyPackName=PACK,
        policyPackVersion=VERSION,
        message=message,
        enforcementLevel=level,
        urn=urn,
    )

"""The rules read what the real engine and the real plugins say: the shapes of inputs are theirs, not ours."""

from dataclasses import replace

import pytest

from automation.engine.contract import EngineAction
from components.plans import PlanDocument
from components.policy.evaluate import evaluate
from lab.client import RunningLab
from tests.factories.plans import facts
from tests.fixtures.engine import Rig
from tests.fixtures.lab_workloads import credentials, spec_of

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("kind", ["cloud_vm", "minecraft", "bot"])
def test_a_workloads_whole_life_passes_every_rule(rig: Rig, lab: RunningLab, kind: str) -> None:
    """Its making, its being looked at again, and its owner's cancel; each plan has all that the rules ask about."""
    spec = spec_of(kind, lab)
    rig = rig.using("automation.engine.programs:workload")
    rig.secrets = replace(rig.secrets, provider_environment=credentials(lab, spec))
    document = spec.model_dump(mode="json")

    def messages(action: EngineAction, *, has_consent: bool = False, **more: bool) -> tuple[dict[str, int], list[str]]:
        steps = rig.run(rig.job(action, document, **more)).steps
        plan = PlanDocument.of(steps)
        results = evaluate(plan, facts(spec, holds_data=True, has_consent=has_consent))
        return plan.counts(), [f"{result.rule}: {result.message}" for result in results if not result.passed]

    assert messages(EngineAction.PREVIEW, stack_may_exist=False) == ({"create": 6}, [])
    assert rig.up(document).failure is None
    assert messages(EngineAction.PREVIEW) == ({"same": 6}, [])
    counts, wrong = messages(EngineAction.PREVIEW_DESTROY)
    assert counts == {"delete": 6}
    assert [message.partition(":")[0] for message in wrong] == ["data-loss"]
    assert messages(EngineAction.PREVIEW_DESTROY, has_consent=True) == ({"delete": 6}, [])
    assert rig.destroy(document).failure is None

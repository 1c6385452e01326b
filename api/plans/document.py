"""The plan document under the name that the API's packages use; it lives where the policy pack may import it too."""

from components.plans import DATA_BEARING, ChangeKind, PlanDocument, PlanStep, PropertyChange, StepOp, digest

__all__ = ["DATA_BEARING", "ChangeKind", "PlanDocument", "PlanStep", "PropertyChange", "StepOp", "digest"]

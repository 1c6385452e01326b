"""How long the model test looks: `pytest --hypothesis-profile=nightly tests/model` looks for an hour."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "nightly", max_examples=4000, stateful_step_count=100, print_blob=True, suppress_health_check=list(HealthCheck)
)

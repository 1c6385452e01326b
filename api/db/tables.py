"""Every model module, imported once, so that ``Base.metadata`` is whole (migrations, tests)."""

import api.alerts.models
import api.audit.models
import api.auth.models
import api.billing.models
import api.catalogue.models
import api.dns.models
import api.drift.models
import api.inventory.models
import api.inventory.platform_models
import api.ipam.models
import api.machines.models
import api.metrics.models
import api.operations.hosts
import api.operations.models
import api.orders.models
import api.plans.models
import api.platform.models
import api.policy.models
import api.quotes.models
import api.templates.models
import api.workloads.models  # noqa: F401 - imported for their tables
from api.db.base import Base

metadata = Base.metadata

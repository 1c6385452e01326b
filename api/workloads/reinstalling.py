"""What a customer's wish to have a machine installed again comes to: held against the catalogue and the account."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.catalogue.models import Product, Size
from api.errors import InvalidInput
from api.orders.models import Order
from api.orders.offer import chosen_layout, find_template
from api.orders.reservation import keys_by_name
from api.workloads.machine_verbs import Reinstallation, machine_spec
from api.workloads.models import Workload
from api.workloads.schemas import ReinstallRequest


def reinstallation(session: Session, workload: Workload, owner_id: UUID, request: ReinstallRequest) -> Reinstallation:
    """Return what a request wants on a machine's disks; what it leaves out stays as it is.

    Raises:
        Conflict: if the workload is no machine.
        InvalidInput: naming the field that is wrong: the name that confirms it, template, layout or keys.
    """
    spec = machine_spec(workload)
    if request.confirm != workload.name:
        raise InvalidInput(
            f"'confirm': all that is on the machine will be lost; to agree, give its name, '{workload.name}'",
            field="confirm",
        )
    product, size = session.execute(
        select(Product, Size)
        .join(Size, Size.product_id == Product.id)
        .join(Order, Order.size_id == Size.id)
        .where(Order.id == workload.order_id)
    ).one()
    _, _, definition = find_template(session, product, size, request.template)
    if definition.machine_image is None or definition.user is None:
        raise InvalidInput(f"'template': '{request.template}' is not for machines", field="template")
    usual = spec.layout if spec.layout in definition.layouts else definition.layouts[0]
    keys = spec.ssh_keys
    if request.ssh_keys is not None:
        keys = keys_by_name(session, owner_id, request.ssh_keys, workload.kind)
    layout = chosen_layout(definition, request.layout) if request.layout is not None else usual
    return Reinstallation(definition.machine_image, layout or usual, definition.user, keys)

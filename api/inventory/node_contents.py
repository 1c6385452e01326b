"""What lies on a node: templates and storages."""

from collections.abc import Iterable

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from api.errors import InvalidInput
from api.inventory.models import Node, NodeTemplate
from api.inventory.platform_models import NodeStorage
from api.templates.models import Template, TemplateVersion
from components.specs import TemplateVolume, Vmid, WorkloadKind
from components.specs.platform import NodeTemplateReport, StorageReport

_VM_SOURCE: TypeAdapter[int] = TypeAdapter(Vmid)
_CONTAINER_SOURCE: TypeAdapter[str] = TypeAdapter(TemplateVolume)


def write_templates(session: Session, node: Node, entries: Iterable[NodeTemplateReport], *, is_whole: bool) -> None:
    """Write where template versions lie on a node; those that ``entries`` lacks go, if it is the whole list.

    Raises:
        InvalidInput: if the registry does not know one, or it cannot lie where it is said to.
    """
    if is_whole:
        session.execute(delete(NodeTemplate).where(NodeTemplate.node_id == node.id))
    for entry in entries:
        row = session.execute(
            select(TemplateVersion.id, Template.kind)
            .join(Template, Template.id == TemplateVersion.template_id)
            .where(Template.slug == entry.template, TemplateVersion.version == entry.version)
        ).one_or_none()
        if row is None:
            raise InvalidInput(
                f"node '{node.name}' holds template '{entry.template}' version '{entry.version}', "
                "which the template registry does not know"
            )
        _check_source(node.name, row.kind, entry)
        values = {"node_id": node.id, "template_version_id": row.id, "source": entry.source}
        key = ["node_id", "template_version_id"]
        statement = insert(NodeTemplate).values(values)
        session.execute(statement.on_conflict_do_update(index_elements=key, set_={"source": entry.source}))


def write_storages(session: Session, node: Node, entries: Iterable[StorageReport]) -> None:
    """Write the storages of a node in place of those that were there."""
    session.execute(delete(NodeStorage).where(NodeStorage.node_id == node.id))
    for entry in entries:
        values = {"name": entry.name, "kind": entry.kind, "content": list(entry.content)}
        session.execute(insert(NodeStorage).values(node_id=node.id, **values))


def _check_source(node_name: str, kind: WorkloadKind, entry: NodeTemplateReport) -> None:
    """Refuse here what would otherwise fail at the first order."""
    is_vm = kind is WorkloadKind.CLOUD_VM
    try:
        (_VM_SOURCE if is_vm else _CONTAINER_SOURCE).validate_python(entry.source)
    except ValidationError:
        wanted = "a VMID such as '9000'" if is_vm else "a volume such as 'local:vztmpl/name.tar.zst'"
        raise InvalidInput(
            f"node '{node_name}': 'source' of template '{entry.template}' must be {wanted}, not '{entry.source}'"
        ) from None

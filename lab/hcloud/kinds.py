"""What all kinds of resources have in common: show, rename, label, protect, delete."""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lab.hcloud.errors import ApiError
from lab.hcloud.labels import Labels
from lab.hcloud.project import Item, Project, shown

Model = TypeVar("Model", bound=BaseModel)
Name = Annotated[str, Field(min_length=1, max_length=64)]
Act = Callable[[Project, Item, Item], Item]


class Body(BaseModel):
    """A request's body. Fields that the API does not know are ignored, as it does."""

    model_config = ConfigDict(extra="ignore")


class NewBody(Body):
    """What most resources are made with."""

    name: Name
    labels: Labels = {}


class Change(Body):
    """What of a resource can be changed in place."""

    name: Name | None = None
    labels: Labels | None = None


def read(model: type[Model], body: Item) -> Model:
    """A request's body as the model.

    Raises:
        ApiError: ``invalid_input`` with every field that is wrong.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        fields = {".".join(map(str, item["loc"])) or "body": item["msg"] for item in error.errors()}
        raise ApiError("invalid_input", f"invalid input in fields {', '.join(map(repr, fields))}", fields) from error


class Kind:
    """One kind of resource; an action ``x`` of the API is the method ``do_x``."""

    collection: ClassVar[str]
    change: ClassVar[type[Change]] = Change
    protects: ClassVar[tuple[str, ...]] = ()
    filters: ClassVar[tuple[str, ...]] = ("name",)

    @property
    def singular(self) -> str:
        """The kind's name in answers and in actions' resources."""
        return self.collection.removesuffix("s")

    def create(self, project: Project, body: Item) -> Item:
        """Make one and return the answer."""
        raise NotImplementedError

    def show(self, _project: Project, item: Item) -> Item:
        """A resource as the API shows it."""
        return shown(item)

    def answer(self, project: Project, item: Item, **more: Any) -> Item:
        """The answer about one resource."""
        return {self.singular: self.show(project, item), **more}

    def update(self, project: Project, item: Item, body: Item) -> Item:
        """Change name, labels and what else can be changed in place; return the answer."""
        wanted = read(self.change, body).model_dump(exclude_none=True)
        if "name" in wanted:
            project.check_name(self.collection, wanted["name"], besides=item["id"])
        item.update(wanted)
        return self.answer(project, item)

    def delete(self, project: Project, item: Item) -> Item | None:
        """Remove one, unless it is protected or in use; return the answer, None for no content."""
        del project.table(self.collection)[item["id"]]
        return None

    def guard(self, item: Item, against: str) -> None:
        """Raise ``protected`` if the resource is protected against this."""
        if item.get("protection", {}).get(against):
            raise ApiError("protected", f"{self.singular.replace('_', ' ')} is {against} protected")

    def action(self, name: str) -> Act | None:
        """The method of an action of the API, None if there is no such action."""
        found: Act | None = getattr(self, f"do_{name}", None)
        return found if name != "change_protection" or self.protects else None

    def begin(self, project: Project, command: str, item: Item, *others: tuple[str, Item], **more: Any) -> Item:
        """Begin an action on a resource of this kind and return the answer."""
        return {"action": project.begin(command, (self.singular, item), *others, **more)}

    def do_change_protection(self, project: Project, item: Item, body: Item) -> Item:
        """Protect a resource, or stop to."""
        for against in self.protects:
            if isinstance(body.get(against), bool):
                item["protection"] = {**item["protection"], against: body[against]}
        return self.begin(project, "change_protection", item)

"""The machinery of settings: frozen, checked, documented by field, walkable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeGuard, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

C = TypeVar("C", bound="Config")


class Config(BaseModel):
    """A group of user decisions: frozen, strict about names, documented by field."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        validate_default=True,
        allow_inf_nan=False,
    )

    @classmethod
    def leaves(cls, prefix: tuple[str, ...] = ()) -> Iterator[Leaf]:
        """Walk all fields, those of nested groups included, in reading order.

        Lists of groups are left out: they have editors of their own.
        """
        for name, field in cls.model_fields.items():
            kind = field.annotation
            if any(_is_group(member) for member in get_args(kind)):
                continue
            if _is_group(kind):
                group = field.get_default(call_default_factory=True)
                yield from group.leaves_with_defaults((*prefix, name))
            else:
                yield Leaf((*prefix, name), field, field.get_default())

    def leaves_with_defaults(self, prefix: tuple[str, ...] = ()) -> Iterator[Leaf]:
        """Walk the fields with this instance's values as the defaults."""
        for leaf in type(self).leaves():
            yield Leaf((*prefix, *leaf.path), leaf.field, self.at(leaf.path))

    def at(self, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - any field's value
        """Read the value at the end of a path of field names."""
        value: Any = self
        for name in path:
            value = getattr(value, name)
        return value

    def replaced(self: C, values: Mapping[tuple[str, ...], object]) -> C:
        """Copy with the values at some paths exchanged, checked like new ones.

        Raises
        ------
        ValueError
            If a value is out of its bounds, in one sentence that names the field.
        """
        content = self.model_dump()
        for path, value in values.items():
            group = content
            for name in path[:-1]:
                group = group[name]
            group[path[-1]] = value
        return checked(type(self), content)


def _is_group(kind: object) -> TypeGuard[type[Config]]:
    """Tell whether a type is a schema, whatever it is annotated with."""
    kind = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return isinstance(kind, type) and issubclass(kind, Config)


class Leaf:
    """One field of a schema, found by its path through nested groups."""

    def __init__(
        self, path: tuple[str, ...], field: FieldInfo, default: object
    ) -> None:
        self.path = path
        self.field = field
        self.default = default

    @property
    def name(self) -> str:
        """The field's own name, the last of its path."""
        return self.path[-1]

    @property
    def kind(self) -> Any:  # noqa: ANN401 - a type or a generic alias
        """The type of one value; of one member where the field holds several."""
        return (
            get_args(self.field.annotation)[0] if self.many else self.field.annotation
        )

    @property
    def many(self) -> bool:
        """Whether the field holds a tuple of any length."""
        return get_origin(self.field.annotation) is tuple

    @property
    def sentence(self) -> str:
        """What the field decides, in one sentence."""
        return " ".join((self.field.description or "").split())

    def bound(self, kind: type, attribute: str) -> Any:  # noqa: ANN401 - a number or None
        """Read one bound, such as ``bound(Ge, "ge")``; None when there is none."""
        for item in self.field.metadata:
            if isinstance(item, kind):
                return getattr(item, attribute)
        return None

    @property
    def registry(self) -> Registry | None:
        """The registry that lists the field's choices, if they are open."""
        return next((m for m in self.field.metadata if isinstance(m, Registry)), None)


class Registry:
    """Marks a text field whose choices are the keys of a mapping in the package.

    Parameters
    ----------
    module, name
        Where the mapping lives, below ``napari_lowdose``; read only when needed.
    extra
        Choices beside the mapping's keys, listed first.
    """

    def __init__(self, module: str, name: str, *extra: str) -> None:
        self.module = module
        self.name = name
        self.extra = extra

    def choices(self) -> tuple[str, ...]:
        """List what may be chosen now."""
        from importlib import import_module

        mapping = getattr(import_module(f"napari_lowdose.{self.module}"), self.name)
        return (*self.extra, *mapping)


def one_sentence(error: ValidationError) -> str:
    """Say what a schema refused, in one sentence."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or error.title
    message = first["msg"].removeprefix("Value error, ")
    message = f"{place}: {message[0].lower()}{message[1:]}"
    # A rule about several fields names their values itself.
    return f"{message}, got {first.get('input')!r}" if first["loc"] else message


def checked(schema: type[C], content: Mapping[str, object]) -> C:
    """Build a schema from plain values.

    Raises
    ------
    ValueError
        If a name is unknown or a value out of bounds, in one sentence.
    """
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        raise ValueError(one_sentence(error)) from None

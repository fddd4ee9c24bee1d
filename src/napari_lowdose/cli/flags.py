"""From settings schemas to command-line flags, and back."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

import numpy as np
from pydantic_core import to_jsonable_python

from napari_lowdose.schema import Config, Leaf

C = TypeVar("C", bound=Config)


class Parser(argparse.ArgumentParser):
    """Keeps line breaks of its text, and refuses in one sentence."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - argparse's own
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(**options)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is; exit code 2."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def add_flags(parser: argparse.ArgumentParser, *schemas: type[Config]) -> None:
    """Add one flag for each field; fields of one name share a flag.

    A flag that is not given leaves no trace, so that the schema's or a preset's own
    value stands.
    """
    added: set[str] = set()
    for schema in schemas:
        group = parser.add_argument_group(_title(schema))
        for leaf in schema.leaves():
            if leaf.name not in added:
                added.add(leaf.name)
                group.add_argument(_flag(leaf), **_options(leaf))


def config_from(
    options: argparse.Namespace, schema: type[C], default: C | None = None
) -> C:
    """Build a schema from the flags that were given.

    Raises
    ------
    ValueError
        If a value is out of its bounds, in one sentence that names the field.
    """
    return (default or schema()).replaced(given(options, schema))


def given(
    options: argparse.Namespace, schema: type[Config]
) -> dict[tuple[str, ...], Any]:
    """Collect the values of the flags of a schema that were given, by path."""
    return {
        leaf.path: getattr(options, _place(leaf))
        for leaf in schema.leaves()
        if hasattr(options, _place(leaf))
    }


def show(content: Mapping[str, Any], *, as_json: bool) -> None:
    """Print results: for a program, or for a person."""
    if as_json:
        plain = to_jsonable_python(
            content, inf_nan_mode="null", fallback=np.ndarray.tolist
        )
        sys.stdout.write(json.dumps(plain, indent=2) + "\n")
        return
    width = max((len(name) for name in content), default=0)
    for name, value in content.items():
        text = f"{value:.6g}" if isinstance(value, float) else str(value)
        sys.stdout.write(f"{name:<{width}}  {text}\n")


def add_json_flag(parser: argparse.ArgumentParser) -> None:
    """Let programs read the result."""
    parser.add_argument(
        "--json", action="store_true", help="Print the result as JSON, for programs."
    )


def _title(schema: type[Config]) -> str:
    story = (schema.__doc__ or schema.__name__).strip().splitlines()[0]
    return story.rstrip(".")


def _flag(leaf: Leaf) -> str:
    return "--" + leaf.name.replace("_", "-")


def _place(leaf: Leaf) -> str:
    """Name the parsed value so that it meets no other option of a command."""
    return f"setting_{leaf.name}"


def _options(leaf: Leaf) -> dict[str, Any]:
    """Describe a field to argparse."""
    options: dict[str, Any] = {
        "default": argparse.SUPPRESS,
        "dest": _place(leaf),
        "help": f"{leaf.sentence} (default: {_shown(leaf)})".replace("%", "%%"),
    }
    if leaf.kind is bool:
        return {**options, "action": argparse.BooleanOptionalAction}
    choices = _choices(leaf)
    if leaf.many:
        of = f" of {', '.join(choices)}" if choices else ""
        options["help"] = f"Some{of}. {options['help']}"
        return {**options, "type": _several, "metavar": "A,B,…"}
    if choices:
        return {**options, "choices": choices, "metavar": "{" + ",".join(choices) + "}"}
    return {**options, "type": leaf.kind, "metavar": leaf.kind.__name__.upper()}


def _choices(leaf: Leaf) -> tuple[str, ...]:
    if leaf.registry:
        return leaf.registry.choices()
    if isinstance(leaf.kind, type) and issubclass(leaf.kind, StrEnum):
        return tuple(member.value for member in leaf.kind)
    return ()


def _several(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _shown(leaf: Leaf) -> str:
    field: Any = leaf.default
    if leaf.many:
        return ",".join(field)
    return "from the file" if field == "" else str(field)

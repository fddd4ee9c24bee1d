"""Recipes from settings by name, as the command line and the panel have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from napari_lowdose.noise.recipe import Noise, name_of, refuse_unknown
from napari_lowdose.noise.stage import Stage
from napari_lowdose.noise.stages import STAGES
from napari_lowdose.schema import checked

_ORDER = (*STAGES,)


def stage_of_field(field: str) -> str:
    """Find the stage that a setting belongs to.

    Raises
    ------
    ValueError
        If no stage has such a setting.
    """
    owners = {
        name: stage for stage, kind in STAGES.items() for name in kind.model_fields
    }
    refuse_unknown("setting of the noise:", field, owners)
    return owners[field]


def with_stages(noise: Noise, names: Iterable[str]) -> Noise:
    """Exchange the stages of a recipe; those that it has keep their settings.

    Parameters
    ----------
    noise
        A recipe, which gives dose, seed and settings.
    names
        Names of `STAGES`, in the order in which they shall happen.

    Raises
    ------
    ValueError
        If a name is no stage.
    """
    had = {name_of(stage): stage for stage in reversed(noise.stages)}
    stages = []
    for name in names:
        refuse_unknown("stage", name, STAGES)
        stages.append(had.pop(name) if name in had else STAGES[name]())
    return noise.model_copy(update={"stages": tuple(stages)})


def with_stage_settings(noise: Noise, values: Mapping[str, object]) -> Noise:
    """Change settings of a recipe's stages, adding the stages where it lacks them.

    Parameters
    ----------
    noise
        A recipe.
    values
        Settings of any stages by name, such as ``{"gain": 2, "row_std": 0.3}``. A stage
        that is added comes where it happens in a microscope; one that counts takes the
        place of another that does.

    Raises
    ------
    ValueError
        If a name is unknown or a value out of bounds, in one sentence.
    """
    settings: dict[str, dict[str, object]] = {}
    for field, value in values.items():
        settings.setdefault(stage_of_field(field), {})[field] = value
    stages = noise.stages
    for name, own in settings.items():
        stages = tuple(_changed(stage, name, own) for stage in _with(stages, name))
    return noise.model_copy(update={"stages": stages})


def _changed(stage: Stage, name: str, settings: Mapping[str, object]) -> Stage:
    """Give a stage new settings if it is of the kind named."""
    if name_of(stage) != name:
        return stage
    return checked(type(stage), {**stage.model_dump(), **settings})


def _with(stages: tuple[Stage, ...], name: str) -> tuple[Stage, ...]:
    """Add a stage before the first that happens later, unless it is there."""
    kind = STAGES[name]
    if any(type(stage) is kind for stage in stages):
        return stages
    if kind.counting:
        stages = tuple(stage for stage in stages if not stage.counting)
    place = _ORDER.index(name)
    later = (n for n, s in enumerate(stages) if _ORDER.index(name_of(s)) > place)
    first = next(later, len(stages))
    return (*stages[:first], kind(), *stages[first:])

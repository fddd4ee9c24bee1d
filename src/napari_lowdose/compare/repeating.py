"""From what a recipe tells to the same method on another stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_lowdose.compare.command import denoising_of
from napari_lowdose.compare.fingerprint import sha256_of_file
from napari_lowdose.config import Comparison, Denoising
from napari_lowdose.model_history import recent_models
from napari_lowdose.schema import checked
from napari_lowdose.shipped import BASE_MODELS
from napari_lowdose.stack import Recipe

_SINGLE = "denoised"  # what the engine calls the estimate of a model of one plane


@dataclass(frozen=True)
class Repetition:
    """A method as a recipe tells of it, ready for another stack.

    Parameters
    ----------
    method
        The classical method, or the model.
    model
        The model's file; None for a classical method.
    estimate
        Which of what a model makes: fused, a plane, or disagreement.
    denoising
        How the model is applied.
    comparison
        What the classical method heeds; it is tuned on each stack anew.
    """

    method: str
    model: Path | None = None
    estimate: str = ""
    denoising: Denoising = Denoising()  # noqa: RUF009 - frozen
    comparison: Comparison = Comparison()  # noqa: RUF009 - frozen

    @classmethod
    def of(cls, recipe: Recipe, name: str) -> Repetition:
        """Read the last step of a recipe.

        Parameters
        ----------
        recipe
            Of a result.
        name
            What the user calls it; for messages.

        Raises
        ------
        ValueError
            If there is no recipe, its last step is no denoising, or the model's file
            cannot be found, in one sentence.
        """
        if not recipe:
            raise ValueError(
                f"{name!r} does not tell how it was made; choose a result of 'Denoise' "
                "or 'Compare'"
            )
        step = recipe[-1]
        if step.get("step") != "denoise":
            raise ValueError(
                f"expected a denoised movie, but the last thing done to {name!r} was "
                f"{str(step.get('step', 'unknown'))!r}; choose a result of 'Denoise' "
                "or 'Compare'"
            )
        if "model" in step:
            return cls(
                str(step["model"]),
                _model_file(step),
                str(step.get("estimate", "fused")),
                denoising_of(step),
            )
        comparison = checked(Comparison, step.get("comparison", {}))
        return cls(str(step["method"]), comparison=comparison)

    @property
    def words(self) -> str:
        """Say what is done, in a clause."""
        if self.model is None:
            return f"{self.method.replace('_', ' ')}, tuned anew on each movie"
        part = "" if self.estimate in ("", "fused") else f", {self.estimate} alone"
        return f"model {self.method}{part}, with the same settings"

    @property
    def settings(self) -> Mapping[str, Any]:
        """The fields of a `napari_lowdose.jobs.Job`, but for its task and stacks."""
        if self.model is None:
            return {"comparison": self.comparison}
        return {
            "model": str(self.model),
            "denoising": self.denoising,
            "each_plane": self.estimate in map(str, self.denoising.planes),
            "disagreement": self.estimate == "disagreement",
        }

    def wants(self, name: str) -> bool:
        """Tell whether a result of that job is the one that was asked for."""
        if self.model is None:
            return name == self.method
        # A model of one plane has one estimate only, whatever it was called.
        return name in (self.estimate, _SINGLE)


def _model_file(step: Mapping[str, Any]) -> Path:
    """Find a model by its name; and by its content, where the recipe tells that."""
    name = str(step["model"])
    if name in BASE_MODELS:
        return BASE_MODELS[name].path
    called = [path for path in recent_models() if path.stem == name]
    known = step.get("model_sha256")
    found = [path for path in called if known in (None, sha256_of_file(path))]
    if not found:
        other = " as it was then" if called else ""
        raise ValueError(
            f"there is no model {name!r}{other} among those used lately; choose its "
            "file in the panel 'Denoise' first"
        )
    return found[0]

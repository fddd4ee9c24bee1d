"""The command line that makes a result again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from napari_lowdose.config import Comparison, Denoising
from napari_lowdose.schema import Config, Leaf, checked
from napari_lowdose.shipped import BASE_MODELS

# What recipes tell of `Denoising`.
_TOLD = ("planes", "fusion", "both_ways", "put_back", "remove_lines")


def flags_of(config: Config) -> tuple[str, ...]:
    """Spell the settings that differ from their defaults as flags.

    The parser of the command line gives the same settings back, except that a comma in
    the name of a file parts it in two.
    """
    flags = (_flag(leaf, config) for leaf in type(config).leaves())
    return tuple(flag for flag in flags if flag)


def compare_command(
    comparison: Comparison,
    *settings: Config,
    noisy: str,
    output: str,
    truth: str = "",
    frame: int = -1,
) -> str:
    """Spell a comparison as a command.

    Parameters
    ----------
    comparison
        What is compared.
    settings
        Other groups that the command knows, such as `Reading`.
    noisy, output, truth
        Files of the noisy stack and the truth, and the folder for the results.
    frame
        In the picture; negative: the middle one.
    """
    words = ["lowdose", "compare", noisy]
    words += [f"--truth={truth}"] if truth else []
    words += [] if comparison.models else ["--model=none"]
    words += [f"--frame={frame}"] if frame >= 0 else []
    for config in (comparison, *settings):
        words += flags_of(config)
    return shlex.join([*words, "-o", output])


def command_of(
    step: Mapping[str, Any],
    *,
    noisy: str = "noisy.tif",
    truth: str = "truth.tif",
    output: str = "",
) -> str:
    """Spell the last step of a result's recipe as a command that repeats it.

    Parameters
    ----------
    step
        Of a result of a comparison, or of ``lowdose denoise``.
    noisy, truth
        Files of the stack it was made of, and of its truth, which recipes do not know.
    output
        Where the command shall write; empty: a name that fits.

    Returns
    -------
    str
        Empty where no command makes it. A model file is named without its folder.
    """
    if step.get("step") != "denoise":
        return ""
    if "comparison" not in step:
        stem = step["model"]
        model = stem if stem in BASE_MODELS else f"{stem}.lowdose"
        return _denoise(step, model, denoising_of(step), noisy, output)
    comparison = checked(Comparison, step["comparison"])
    if comparison.models:
        (model,) = comparison.models
        return _denoise(step, model, comparison.denoising, noisy, output)
    return compare_command(
        comparison,
        noisy=noisy,
        output=output or "results",
        truth=truth if "truth_sha256" in step else "",
    )


def denoising_of(step: Mapping[str, Any]) -> Denoising:
    """Read how a model was applied from the last step of a recipe."""
    if "comparison" in step:
        return checked(Comparison, step["comparison"]).denoising
    told: dict[tuple[str, ...], object] = {
        (name,): step[name] for name in _TOLD if name in step
    }
    return Denoising().replaced(told)


def _denoise(
    step: Mapping[str, Any],
    model: str,
    denoising: Denoising,
    noisy: str,
    output: str,
) -> str:
    """Spell what a model did."""
    words = ["lowdose", "denoise", noisy, f"--model={model}", *flags_of(denoising)]
    planes = step.get("planes", ())
    if len(planes) > 1 and step.get("estimate", "fused") != "fused":
        words.append("--each-plane")
    return shlex.join([*words, "-o", output or "denoised.tif"])


def _flag(leaf: Leaf, config: Config) -> str:
    """Spell one setting; empty where it is the default."""
    value = config.at(leaf.path)
    if value == leaf.default:
        return ""
    name = leaf.name.replace("_", "-")
    if leaf.kind is bool:
        return f"--{name}" if value else f"--no-{name}"
    # With an equals sign: a negative number is no flag.
    return f"--{name}={','.join(map(str, value)) if leaf.many else value}"

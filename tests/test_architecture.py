"""Imports cost nothing until used, and only the widgets know that a GUI exists."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import napari_lowdose

PACKAGE = Path(napari_lowdose.__file__).parent
GUI = {"napari", "qtpy", "magicgui", "superqt", "PyQt6", "PySide6"}
KNOW_TORCH = {
    "engine",
    "networks", "objectives", "training", "denoiser", "applying", "demo", "benchmarks",
    "base_models", "trust",
}  # fmt: skip
# Loaded by the one filter that needs it, when that is used.
DECOMPOSE = {"napari_lowdose.classical.casorati"}


def module_names() -> list[str]:
    """List all modules of the package, subpackages before what they hold."""
    paths = [path.relative_to(PACKAGE.parent) for path in PACKAGE.rglob("*.py")]
    return sorted(".".join(path.with_suffix("").parts) for path in paths)


def room(module: str) -> str:
    """Name the part of the package that a module belongs to."""
    return module.removesuffix(".__init__").partition(".")[2].partition(".")[0]


def loaded_by(modules: list[str]) -> dict[str, set[str]]:
    """Import modules one after the other in a fresh interpreter.

    Returns the top-level packages that were loaded after each.
    """
    script = (
        "import importlib, json, sys\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name)\n"
        "    tops = sorted({module.partition('.')[0] for module in sys.modules})\n"
        "    print(json.dumps([name, tops]))\n"
    )
    names = [name.removesuffix(".__init__") for name in modules]
    run = subprocess.run(
        [sys.executable, "-c", script, *names],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return {name: set(tops) for name, tops in map(json.loads, run.stdout.splitlines())}


def first_that_loads(heavy: set[str], modules: list[str]) -> str | None:
    """Find the module whose import brings in one of the heavy packages."""
    loaded = loaded_by(modules)
    return next((name for name, tops in loaded.items() if tops & heavy), None)


def test_importing_the_package_loads_neither_torch_nor_a_gui():
    assert first_that_loads(GUI | {"torch"}, ["napari_lowdose"]) is None


def test_no_module_outside_widgets_loads_a_gui():
    core = [name for name in module_names() if room(name) != "widgets"]
    assert first_that_loads(GUI, core) is None


def test_only_networks_and_what_fits_them_load_torch():
    light = [
        name
        for name in module_names()
        if room(name) not in KNOW_TORCH and name not in DECOMPOSE
    ]
    assert first_that_loads({"torch"}, light) is None


@pytest.mark.parametrize("name", napari_lowdose.__all__)
def test_a_public_name_leads_to_what_it_names(name):
    home = import_module(f"{napari_lowdose.__name__}.{napari_lowdose._HOME[name]}")
    # A module of the same name would be found instead, once it was imported.
    assert not isinstance(getattr(napari_lowdose, name), ModuleType)
    assert getattr(napari_lowdose, name) is getattr(home, name)


def test_an_unknown_name_is_refused_like_any_missing_attribute():
    with pytest.raises(AttributeError, match="has no attribute 'denoize'"):
        _ = napari_lowdose.denoize

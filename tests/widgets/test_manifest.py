from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from napari._app_model.constants import MenuId
from npe2 import PluginManifest

import napari_lowdose
from napari_lowdose.specimens import SPECIMENS

ROOT = Path(__file__).parents[2]
PACKAGED = Path(napari_lowdose.__file__).with_name("napari.yaml")


@pytest.fixture
def manifest():
    return PluginManifest.from_file(PACKAGED)


def test_the_manifest_is_valid_and_its_names_can_be_imported(manifest):
    manifest.validate_imports()


def test_the_manifest_at_the_top_is_the_packaged_one():
    assert (ROOT / "napari.yaml").read_text() == PACKAGED.read_text()


def test_the_installed_package_brings_the_manifest(manifest):
    installed = PluginManifest.from_distribution("napari-lowdose")
    assert installed.contributions == manifest.contributions


def test_every_specimen_is_a_sample(manifest):
    samples = {sample.key for sample in manifest.contributions.sample_data}
    assert samples == set(SPECIMENS)


def test_every_menu_is_one_that_napari_opens_to_plugins(manifest):
    own = {submenu.id for submenu in manifest.contributions.submenus}
    open_to_all = MenuId.contributables()
    for menu in manifest.contributions.menus:
        assert menu in open_to_all or menu in own


def test_what_older_npe2_refuses_or_napari_ignores_is_not_used(manifest):
    text = PACKAGED.read_text()
    for word in ("default_dock_area", "tabify", "keybindings", "layers/context"):
        assert word not in text


WIDGETS = [
    "load",
    "simulate",
    "measure",
    "train",
    "denoise",
    "fine_tune",
    "compare",
    "inspect",
    "repeat",
    "files",
]


def test_widgets_do_not_load_torch():
    # one process for all, since each start takes seconds: the first is to blame
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module('napari_lowdose.widgets.' + name)\n"
        "    if 'torch' in sys.modules: sys.exit(name)\n"
    )
    command = [sys.executable, "-c", code, *WIDGETS]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr

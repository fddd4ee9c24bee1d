"""What is shipped: one manifest, one version, complete archives, one test command."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import entry_points, metadata, version
from pathlib import Path

import pytest
from npe2 import PluginManifest

import napari_lowdose

ROOT = Path(__file__).parents[1]
MANIFEST = Path(napari_lowdose.__file__).with_name("napari.yaml")
NAME = "napari-lowdose"


@pytest.mark.skipif(
    not (ROOT / "napari.yaml").exists(), reason="an sdist holds only the package's"
)
def test_the_manifest_on_top_is_that_of_the_package():
    top = (ROOT / "napari.yaml").read_text()
    assert top == (ROOT / "src/napari_lowdose/napari.yaml").read_text()
    assert top == MANIFEST.read_text()


def test_the_manifest_is_valid_and_what_it_names_exists():
    manifest = PluginManifest.from_file(MANIFEST)
    manifest.validate_imports()
    assert manifest.name == metadata(NAME)["Name"] == NAME


def test_napari_finds_the_manifest():
    (entry,) = entry_points(group="napari.manifest", name=NAME)
    assert entry.value == "napari_lowdose:napari.yaml"


def test_the_version_is_the_newest_of_the_changelog():
    headings = re.findall(
        r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert version(NAME) == headings[0]


def test_continuous_integration_runs_the_command_of_the_readme():
    command = (ROOT / ".ci" / "run").read_text().splitlines()[-1]
    assert command.endswith(".venv/bin/tox run")
    assert command in (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Build the sdist, unpack it, and build the wheel from what it holds."""
    folder = tmp_path_factory.mktemp("archives")
    _build(ROOT, "sdist", folder)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    _build(folder / sdist.name.removesuffix(".tar.gz"), "wheel", folder)
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


def _build(source, target, folder):
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=120)


def test_the_sdist_holds_what_it_needs_to_be_tested(archives):
    with tarfile.open(archives[0]) as sdist:
        members = {m.name.partition("/")[2]: m for m in sdist.getmembers()}
    for path in (
        "pyproject.toml",
        "tox.ini",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        ".ci/run",
        ".mkdocs.yml",
        "docs/index.md",
        "src/napari_lowdose/napari.yaml",
        "src/napari_lowdose/py.typed",
        "tests/test_packaging.py",
    ):
        assert members[path].isfile(), path
    # A link would be lost where Windows unpacks the archive.
    assert not [name for name, member in members.items() if member.issym()]


def test_the_wheel_holds_the_package_and_nothing_else(archives):
    with zipfile.ZipFile(archives[1]) as wheel:
        names = wheel.namelist()
        manifest = wheel.read("napari_lowdose/napari.yaml").decode()
    assert manifest == MANIFEST.read_text()
    assert "napari_lowdose/py.typed" in names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {
        "napari_lowdose"
    }


def test_the_bare_install_brings_neither_napari_nor_qt():
    required = metadata(NAME).get_all("Requires-Dist") or []
    bare = [line for line in required if "extra ==" not in line]
    assert not [
        line for line in bare if re.match(r"napari|pyqt|pyside|qtpy", line, re.I)
    ]

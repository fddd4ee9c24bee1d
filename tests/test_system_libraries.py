"""The script that installs system libraries, against a stand-in for Debian's tools."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / ".ci" / "system_libraries.py"

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="installs on Linux only"
)

DPKG_QUERY = """#!/bin/sh
shift 2
for name in "$@"; do
  if grep -qx "$name" "$DEBIAN/installed"; then echo "$name installed"; fi
done
"""
APT_GET = """#!/bin/sh
echo "$DEBIAN_FRONTEND $*" >> "$DEBIAN/calls"
case "$*" in
  *install*) test -e "$DEBIAN/broken" && exit 100
    for name in "$@"; do echo "$name" >> "$DEBIAN/installed"; done ;;
esac
"""
SUDO = """#!/bin/sh
shift
exec "$@"
"""


class Debian:
    """A folder with what the script asks of a Debian system.

    Parameters
    ----------
    folder
        Holds the tools, the list of what is installed, and the calls of apt-get.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "installed").touch()
        for name, text in (
            ("dpkg-query", DPKG_QUERY),
            ("apt-get", APT_GET),
            ("sudo", SUDO),
        ):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        for name in ("sh", "grep", "env", "true"):
            (folder / name).symlink_to(str(shutil.which(name)))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, SCRIPT, *arguments],
            env={"PATH": str(self.folder), "DEBIAN": str(self.folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    @property
    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def debian(tmp_path):
    return Debian(tmp_path)


def test_what_is_missing_is_installed_once_without_questions(debian):
    first, second = debian.run(), debian.run()
    assert (first.returncode, second.returncode) == (0, 0)
    update, install = debian.calls
    assert update == "noninteractive -qq update"
    assert install.startswith("noninteractive -qq install -y --no-install-recommends")
    assert "xvfb" in install
    assert "libxcb-cursor0" in install
    assert (first.stdout, first.stderr, second.stdout, second.stderr) == ("",) * 4


def test_a_renamed_library_counts_as_installed(debian):
    debian.run()
    listed = debian.folder / "installed"
    listed.write_text(listed.read_text().replace("glib2.0-0", "glib2.0-0t64"))
    debian.run()
    assert len(debian.calls) == 2


@pytest.mark.parametrize(("option", "status"), [([], 1), (["--optional"], 0)])
def test_what_cannot_be_installed_is_said_in_one_line(debian, option, status):
    (debian.folder / "broken").touch()
    done = debian.run(*option)
    assert done.returncode == status
    (sentence,) = done.stderr.splitlines()
    assert "apt-get install -y --no-install-recommends xvfb xauth libegl1" in sentence
    assert len(debian.calls) == 4  # both tries


def test_without_the_right_to_install_nothing_is_tried(debian):
    (debian.folder / "sudo").unlink()
    if os.geteuid() == 0:
        pytest.skip("root may always install")
    done = debian.run()
    assert done.returncode == 1
    assert "sudo apt-get install" in done.stderr
    assert not debian.calls


def test_other_systems_are_told_that_nothing_was_checked(debian):
    (debian.folder / "dpkg-query").unlink()
    done = debian.run()
    assert done.returncode == 0
    assert (
        done.stdout == "not a Debian system: Qt's libraries and Xvfb are not checked\n"
    )

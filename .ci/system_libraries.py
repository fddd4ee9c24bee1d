"""Install the system libraries that Qt and a virtual screen need on Debian.

Says nothing when nothing is missing. Without the right to install, it says what to type
and fails; with ``--optional`` it says so and goes on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable

# Found by `ldd` on Qt 6's xcb platform and proved in a system that had nothing else.
LIBRARIES = (
    "libegl1",
    "libgl1",
    "libopengl0",
    "libgl1-mesa-dri",
    "libglib2.0-0",
    "libfontconfig1",
    "libdbus-1-3",
    "libxkbcommon-x11-0",
    "libxcb-cursor0",
    "libxcb-icccm4",
    "libxcb-keysyms1",
    "libxcb-shape0",
    "libxcb-randr0",
    "libxcb-xkb1",
)
SCREEN = ("xvfb", "xauth")
RENAMED = {"libglib2.0-0": "libglib2.0-0t64"}  # Debian 13, Ubuntu 24.04

UPDATE = ("apt-get", "-qq", "update")
INSTALL = (
    "apt-get", "-qq", "install", "-y", "--no-install-recommends",
    "-o", "DPkg::Lock::Timeout=120",
)  # fmt: skip
ATTEMPTS = 2


def installed(packages: Iterable[str]) -> set[str]:
    """Ask dpkg which of the packages are there; it knows nothing of the others."""
    query = subprocess.run(
        ["dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\n", *packages],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    rows = (line.split() for line in query.stdout.splitlines())
    return {row[0] for row in rows if row[1:] == ["installed"]}


def missing() -> list[str]:
    """List what is not there, by the name that this release gives it."""
    wanted = (*SCREEN, *LIBRARIES)
    present = installed((*wanted, *RENAMED.values()))
    return [name for name in wanted if not {name, RENAMED.get(name)} & present]


def privilege() -> list[str] | None:
    """Find what to put before a command so that it may install; None if nothing."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and succeeds(["sudo", "-n", "true"], seconds=10):
        return ["sudo", "-n"]
    return None


def succeeds(command: list[str], seconds: float) -> bool:
    """Run a command that must not ask anything and must not take for ever."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, check=False, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def install(packages: list[str], prefix: list[str]) -> bool:
    """Install with apt, twice if the first try fails."""
    quiet = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive"]
    for _ in range(ATTEMPTS):
        succeeds([*quiet, *UPDATE], seconds=300)  # old lists may do as well
        if succeeds([*quiet, *INSTALL, *packages], seconds=900):
            return True
    return False


def main() -> int:
    """Install what is missing; return the exit status."""
    if not sys.platform.startswith("linux"):
        return 0
    if not (shutil.which("dpkg-query") and shutil.which("apt-get")):
        print("not a Debian system: Qt's libraries and Xvfb are not checked")
        return 0
    packages = missing()
    if not packages:
        return 0
    prefix = privilege()
    if prefix is not None and install(packages, prefix):
        return 0
    sudo = "" if prefix == [] else "sudo "
    print(
        "Qt needs system libraries that are missing; install them with: "
        f"{sudo}apt-get update && {sudo}apt-get install -y --no-install-recommends "
        + " ".join(packages),
        file=sys.stderr,
    )
    return 0 if "--optional" in sys.argv[1:] else 1


if __name__ == "__main__":
    sys.exit(main())

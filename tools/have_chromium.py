"""Install Debian's Chromium for the browser tests where that is allowed; else say what is missing.

Never fails: without Chromium those tests say that they did not run.
"""

import os
import shutil
import subprocess

from tools.rig.chromium import MISSING, found

PATIENCE = 240
INSTALL = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium")


def main() -> None:
    if found():
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(MISSING)
        return
    print("Installing Debian's Chromium for the browser tests (once) …")
    for command in (("apt-get", "update", "-qq"), INSTALL):
        try:
            subprocess.run(
                command, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
                stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=True,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            print(f"{' '.join(command[:2])}: {error}\n{MISSING}")
            return


if __name__ == "__main__":
    main()

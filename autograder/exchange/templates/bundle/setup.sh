#!/usr/bin/env bash
# Runs once, when Gradescope builds the container. Its default image, Ubuntu 22.04, has Python 3.10;
# the grader needs 3.11 or newer, so where there is none, one is brought.
set -euo pipefail
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq bubblewrap ca-certificates python3 python3-venv
cd /autograder/source
if python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    python3 -m venv /autograder/venv
else
    python3 -m venv /autograder/uv
    /autograder/uv/bin/pip install -q uv
    export UV_PYTHON_INSTALL_DIR=/autograder/python  # readable by the user that runs submissions
    /autograder/uv/bin/uv venv --quiet --seed --python 3.11 /autograder/venv
fi
/autograder/venv/bin/pip install -q --constraint .constraints.txt torch==2.13.0
/autograder/venv/bin/pip install -q --constraint .constraints.txt --editable .
/autograder/venv/bin/python -m autograder --version

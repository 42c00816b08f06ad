#!/usr/bin/env bash
# Runs once, when Gradescope builds the container.
set -euo pipefail
apt-get update -qq
apt-get install -y -qq bubblewrap python3 python3-venv
cd /autograder/source
python3 -m venv /autograder/venv
/autograder/venv/bin/pip install -q --constraint .constraints.txt torch==2.13.0
/autograder/venv/bin/pip install -q --constraint .constraints.txt --editable .

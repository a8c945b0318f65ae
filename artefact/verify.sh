#!/bin/sh
# Check the proof log: with the source, and with neither CaDiCaL, which proved it, nor a network. z3 is there
# to write out its floating-point theory, of which some theorems are, and is asked nothing.
set -eu
cd "$(dirname "$0")"
. ./install.sh
install_without python_sat
work/bin/spikeproof verify proof-log 2> /dev/null

#!/bin/sh
# Check the proof log: with the source, and with neither a solver nor a network.
set -eu
cd "$(dirname "$0")"
. ./install.sh
install_without z3 python_sat
work/bin/spikeproof verify proof-log 2> /dev/null

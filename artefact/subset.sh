#!/bin/sh
# Prove theorems anew, on one core; `sh subset.sh whole` all of them.
set -eu
cd "$(dirname "$0")"
. ./install.sh
install_without nothing
shard=$(cat expected/shard)
[ "${1:-}" = whole ] && shard=1/1
work/bin/spikeproof prove --shard "$shard" --jobs 1 --no-cache --log work/log --json work/results.json > work/prove.txt
work/bin/python compare.py expected/subset.tsv work/results.json

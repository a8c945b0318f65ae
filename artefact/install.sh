# For scripts that read this: the packages in wheels/ but some, into a new work/, without a network.

# The sums say nothing of files that they do not name: there must be none.
refuse_strangers() {
  rm -rf work
  found=$({
    find . -type f ! -path ./SHA256SUMS ! -path ./SHA256SUMS.sig ! -path ./SHA256SUMS.asc
    find . ! -type f ! -type d
  } | sed 's|^\./||' | LC_ALL=C sort)
  named=$(sed 's/^[0-9a-f]\{64\}  //' SHA256SUMS | LC_ALL=C sort)
  [ "$found" = "$named" ] || {
    echo "there are other files here than SHA256SUMS names; unpack the artefact anew" >&2
    exit 1
  }
  sha256sum --quiet --check SHA256SUMS
}

install_without() {
  refuse_strangers
  python3 -m venv work
  kept=
  for wheel in wheels/*.whl; do
    skip=
    for name in "$@"; do
      case "$wheel" in wheels/"$name"*) skip=yes ;; esac
    done
    [ -n "$skip" ] || kept="$kept $wheel"
  done
  # shellcheck disable=SC2086  # a list of names without spaces
  work/bin/python -m pip install --quiet --no-index --no-deps --disable-pip-version-check $kept
  SPIKEPROOF_STATE=$PWD/work/state SPIKEPROOF_CACHE=$PWD/work/cache
  export SPIKEPROOF_STATE SPIKEPROOF_CACHE
}

# For scripts that read this: the packages in wheels/ but some, into work/, without a network.
install_without() {
  [ -x work/bin/python ] || python3 -m venv work
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

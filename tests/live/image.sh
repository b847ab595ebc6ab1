#!/usr/bin/env bash
# Build the image of the Containerfile and run it, with a builder that needs no daemon and no registry:
#
#   tests/live/image.sh [FOLDER]
#
# Needs root, buildah, mmdebstrap (apt-get install buildah mmdebstrap crun) and unshare. The base is a Debian with
# Python that is made here. The image is built from the package index, then again from its own wheels in a network
# namespace with nothing in it, where it is run as well. Takes two minutes and 2 GB below FOLDER.
#
# Exit codes: 0 built and run; 1 not; 2 something is missing.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=${1:-$(mktemp -d)}
mkdir -p "$work"
for program in buildah mmdebstrap unshare; do
  command -v "$program" >/dev/null || { echo "image.sh: there is no $program" >&2; exit 2; }
done
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
# Where packages come from on this machine, and whom it trusts.
machine=(--volume /etc/ssl/certs:/etc/ssl/certs:ro)
for file in /etc/pip.conf "$HOME/.config/pip/pip.conf"; do
  if [[ -f $file ]]; then machine+=(--volume "$file:$file:ro"); fi
done
build() { buildah --root "$work/store" --runroot "$work/run" "$@"; }
image() { build bud --quiet --pull-never --network host --build-arg PYTHON_IMAGE=localhost/python:3.11 "$@" \
  -f "$root/Containerfile" "$root"; }

if [[ ! -d $work/base ]]; then
  mmdebstrap --quiet --mode=root --variant=minbase --skip=check/qemu,chroot/mount \
    --include=python3,python3-venv,python3-pip,ca-certificates bookworm "$work/base" </dev/null
fi
container=$(build from scratch)
build copy --quiet "$container" "$work/base" / >/dev/null
build commit --quiet --rm "$container" localhost/python:3.11 >/dev/null

echo "== from the package index"
image "${machine[@]}" -t localhost/cloudaudit:index
image "${machine[@]}" --target wheels -t localhost/cloudaudit:wheels
container=$(build from localhost/cloudaudit:wheels)
rm -rf "$work/wheels"
cp -r "$(build mount "$container")" "$work/wheels"
build rm "$container" >/dev/null

echo "== from wheels, without network"
unshare -n env STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot buildah --root "$work/store" --runroot "$work/run" \
  bud --quiet --pull-never --network host --build-arg PYTHON_IMAGE=localhost/python:3.11 \
  --build-context "wheels=$work/wheels" -t localhost/cloudaudit:offline -f "$root/Containerfile" "$root"

echo "== run without network"
for tag in index offline; do
  container=$(build from "localhost/cloudaudit:$tag")
  # The script is the container's to expand.
  # shellcheck disable=SC2016
  unshare -n buildah --root "$work/store" --runroot "$work/run" run "$container" -- sh -euc '
    test "$(id -u)" = 10001
    test ! -w /opt/cloudaudit
    test ! -e /wheels/requirements.lock
    cloudaudit --version
    cloudaudit controls lint'
  build rm "$container" >/dev/null
done

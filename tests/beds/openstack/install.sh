# What the bed needs on the machine. Sourced by bed.sh.
# shellcheck shell=bash

# Packages the machine itself must have: uWSGI is built from source, the rest are basic tools.
SYSTEM_PACKAGES=(gcc libc6-dev python3-dev python3-venv ca-certificates util-linux xz-utils)

install_system() {
  local missing=() p
  command -v apt-get >/dev/null || die "needs a Debian-like system (apt-get)"
  for p in "${SYSTEM_PACKAGES[@]}"; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || die "missing packages, install them as root: apt-get install ${missing[*]}"
  say "system packages: ${missing[*]}"
  apt_update
  quietly install env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
}

apt_update() {
  [ -z "${APT_UPDATED:-}" ] || return 0
  APT_UPDATED=1
  if [ "$(id -u)" = 0 ]; then quietly install apt-get update; fi
}

install_python() {
  local python=${PYTHON:-python3} want
  want=$(sha256sum <"$HERE/requirements.lock")
  [ "$(cat "$VENV/installed" 2>/dev/null || true)" != "$want" ] || return 0
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die "needs Python 3.11 or newer (PYTHON=...)"
  say "python packages: $(grep -c == "$HERE/requirements.lock") (some minutes)"
  [ -x "$VENV/bin/pip" ] || quietly install "$python" -m venv "$VENV"
  # The lock was resolved as a whole, so there is nothing for pip to resolve.
  grep -v '^uwsgi==' "$HERE/requirements.lock" >"$VENV/lock"
  quietly install "$VENV/bin/pip" install --no-deps --prefer-binary --disable-pip-version-check -r "$VENV/lock"
  # uWSGI has an interpreter linked in. A build that pip kept from another Python of the same version
  # would be taken, and fail at its first import.
  quietly install "$VENV/bin/pip" install --no-deps --no-cache-dir --force-reinstall --disable-pip-version-check \
    "$(grep '^uwsgi==' "$HERE/requirements.lock")"
  quietly install "$VENV/bin/pip" check
  echo "$want" >"$VENV/installed"
}

# RabbitMQ and MariaDB are run out of a directory: nothing is installed, no user made, no daemon started.
install_debian() {
  local names d
  [ ! -e "$DEB/unpacked" ] || return 0
  say "rabbitmq and mariadb packages"
  apt_update
  # What apt would bring in, and the programs themselves even where the machine has them already.
  names=$({
    apt-get install -s --no-install-recommends rabbitmq-server mariadb-server-core 2>>"$LOG/install.out" |
      awk '/^Inst/ {print $2}'
    echo rabbitmq-server
    echo mariadb-server-core
    apt-cache depends rabbitmq-server | awk '$1 == "Depends:" && $2 ~ /^erlang-/ {print $2}'
  } | sort -u)
  rm -rf "$DEB" "$DEB.new" "$ROOT/debs"
  mkdir -p "$DEB.new" "$ROOT/debs"
  # apt downloads as a user of its own, which could not write here; as root it warns, and works.
  # shellcheck disable=SC2086
  (cd "$ROOT/debs" && quietly install apt-get download -q $names)
  for d in "$ROOT"/debs/*.deb; do quietly install dpkg -x "$d" "$DEB.new"; done
  # Debian's erl has its root directory written in.
  sed -i "s#ROOTDIR=/usr/lib/erlang#ROOTDIR=$DEB/usr/lib/erlang#" "$DEB.new/usr/lib/erlang/bin/erl"
  mv "$DEB.new" "$DEB"
  rm -rf "$ROOT/debs"
  touch "$DEB/unpacked"
}

install_all() {
  install_system
  install_python
  install_debian
}

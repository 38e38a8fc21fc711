# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# Shared by fetch and build-kernel, after lib.sh: Debian's packages, downloaded and never
# installed.

apt_options=(-q -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=3)

refresh_lists() {
  local as_root=()
  ((EUID == 0)) || as_root=(sudo)
  "${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=300 update </dev/null >/dev/null ||
    echo "${0##*/}: apt-get update failed; trying the lists at hand" >&2
}

# unpack_package PACKAGE FOLDER [PATH...]: into FOLDER, all of it or only the paths named.
unpack_package() {
  local package=$1 folder=$2 work
  shift 2
  work=$(mktemp -d "$cache_dir/download.XXXXXX")
  echo "${0##*/}: $package"
  if ! (cd "$work" && apt-get "${apt_options[@]}" download "$package" </dev/null >log 2>&1); then
    refresh_lists
    if ! (cd "$work" && apt-get "${apt_options[@]}" download "$package" </dev/null >log 2>&1); then
      cat "$work/log" >&2
      rm -rf "$work"
      die "$exit_missing" "cannot download $package; is the network up, and is it in apt's sources?"
    fi
  fi
  mkdir -p "$folder"
  dpkg-deb --fsys-tarfile "$work"/*.deb | tar -x --no-same-owner -C "$folder" "$@"
  rm -rf "$work"
}

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

source_package=linux-source-${debug_id%-debug}
source_archive=$cache_dir/$source_package.tar.xz

# fetch_source: the archive of the kernel's whole source. build-kernel and the fetch of
# checkpatch.pl both want it, so it stays until the kernel is built.
fetch_source() {
  local work=$cache_dir/source.part
  exec 7>"$cache_dir/source.lock"
  flock 7
  if [[ ! -e $source_archive ]]; then
    rm -rf "$work"
    unpack_package "$source_package" "$work" --wildcards "./usr/src/$source_package.tar.xz"
    mv "$work/usr/src/$source_package.tar.xz" "$source_archive"
    rm -rf "$work"
  fi
  exec 7>&-
}

# keep_checkpatch TREE: checkpatch.pl and its lists, out of a source tree.
keep_checkpatch() {
  local target=$cache_dir/checkpatch
  [[ ! -e $target/checkpatch.pl ]] || return 0
  rm -rf "$target.part"
  mkdir -p "$target.part"
  cp "$1"/scripts/{checkpatch.pl,const_structs.checkpatch,spelling.txt} "$target.part" ||
    die "$exit_missing" "no checkpatch.pl in $source_package"
  rm -rf "$target"
  mv "$target.part" "$target"
}

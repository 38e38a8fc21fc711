# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# Shared by fetch, build-kernel, build-modules and run: where the kernels lie and what they
# are called. A kernel is named by a short id, VERSION[-FLAVOUR]: 6.1, 6.12-rt, 6.12-cloud.
# The cache outlives build trees; nothing in it is ever installed on the host.

guest_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo_dir=$(cd "$guest_dir/../.." && pwd)
build_dir=${EVRING_BUILD_DIR:-$repo_dir/build}
cache_dir=${EVRING_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/evring}
kernel_root=$cache_dir/root  # packages are unpacked here; their paths carry their versions

debug_id=6.12-debug  # built here, with what finds faults
kernel_ids=(6.1 6.1-cloud 6.1-rt 6.12 6.12-cloud 6.12-rt "$debug_id")

# Words for kbuild: the compiler that Debian built these kernels with; no warning passes; no debug
# information, which no guest loads.
module_flags="CC=gcc-12 KCFLAGS=-Werror CONFIG_DEBUG_INFO="

readonly exit_missing=120 exit_timeout=121 exit_panic=122 exit_log=123 exit_lost=124 exit_usage=125

die() {
  local status=$1
  shift
  echo "${0##*/}: $*" >&2
  exit "$status"
}

require_kernel_id() {
  local id
  for id in "${kernel_ids[@]}"; do [[ $id == "$1" ]] && return; done
  die "$exit_usage" "unknown kernel '$1'; known: ${kernel_ids[*]}"
}

# release_of ID: the release (uname -r) that the id stood for when it was fetched, or nothing.
release_of() { cat "$cache_dir/ids/$1" 2>/dev/null || true; }

vmlinux_of() { echo "$kernel_root/boot/vmlinux-$1"; }
headers_of() { echo "$kernel_root/usr/src/linux-headers-$1"; }

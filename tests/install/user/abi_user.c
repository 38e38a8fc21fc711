/* SPDX-License-Identifier: MIT */
/* A user of the shared header alone, in C. */
#include <evring/abi.h>

int main(void) {
  return sizeof(struct evring_header) == EVRING_HEADER_BYTES && EVRING_STAMP_READY(1) == 3 ? 0 : 1;
}

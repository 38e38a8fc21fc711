// SPDX-License-Identifier: MIT
// The ABI as C++ sees it.
#include "print_layout.h"

int main() {
  print_layout();
  return fflush(stdout) == 0 ? 0 : 1;
}

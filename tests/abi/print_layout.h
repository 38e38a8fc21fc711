/* SPDX-License-Identifier: MIT */
/*
 * The body of print_c.c and print_cpp.cpp: one source for two languages, so that
 * only the language can make a difference. Prints what layout.inc lists.
 */
#ifndef EVRING_TESTS_ABI_PRINT_LAYOUT_H
#define EVRING_TESTS_ABI_PRINT_LAYOUT_H

#include <evring/abi.h>
#include <stddef.h>
#include <stdio.h>

static void print_struct(const char* name, size_t bytes) { printf("struct %s %zu\n", name, bytes); }

static void print_field(const char* name, size_t offset, size_t bytes) {
  printf("  %s %zu %zu\n", name, offset, bytes);
}

static void print_number(const char* name, unsigned long long value) {
  printf("%s 0x%llx\n", name, value);
}

static void print_text(const char* name, const char* text) { printf("%s \"%s\"\n", name, text); }

static void print_layout(void) {
#define BEGIN(name)              \
  {                              \
    typedef struct name current; \
    print_struct(#name, sizeof(current));
#define FIELD(name) \
  print_field(#name, offsetof(current, name), sizeof(((const current*)NULL)->name));
#define END }
#define NUMBER(value) print_number(#value, (unsigned long long)(value));
#define TEXT(value) print_text(#value, value);
#include "layout.inc"
}

#endif

#pragma once

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's entry, https://llvm.org/docs/LibFuzzer.html: whatever the bytes, it returns 0. What is wrong
 * ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

# SPDX-License-Identifier: MIT
"""The median seconds of one of composite_rows.c's lines in PyTorch, on its standard output.

    python3 composites.py THREADS ROUNDS LINE ROWS,COLS,DTYPE...
"""
import statistics
import string
import sys
import time

try:
    import torch
except ImportError as error:
    sys.exit(f"PyTorch cannot be imported: {error}")

TYPES = {"f32": "float32", "f16": "float16", "bf16": "bfloat16", "f64": "float64", "u8": "uint8"}


def make(operand):
    rows, cols, dtype = operand.split(",")
    values = torch.rand(int(rows), int(cols)) * 2 - (0 if dtype == "u8" else 1)
    return values.to(getattr(torch, TYPES[dtype]))


def main(threads, rounds, line, *operands):
    torch.set_num_threads(int(threads))
    names = {"torch": torch, **dict(zip(string.ascii_lowercase, map(make, operands)))}
    code = compile(line, "composite_rows.c", "exec")
    seconds = []
    for _ in range(int(rounds) + 1):  # the first is not counted
        start = time.perf_counter()
        exec(code, names)
        seconds.append(time.perf_counter() - start)
    print(statistics.median(seconds[1:]))


torch.set_grad_enabled(False)
main(*sys.argv[1:])

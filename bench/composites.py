# SPDX-License-Identifier: MIT
"""The seconds of one of composite_rows.c's lines in PyTorch, one a round, on its standard output.

    python3 composites.py                      the name of PyTorch and its version
    python3 composites.py THREADS ROUNDS BEFORE LINE ROWS,COLS,DTYPE,LOWEST...

Gradients are recorded if BEFORE, which is run once, is not empty.
"""
import string
import sys
import time

try:
    import torch
except ImportError as error:
    sys.exit(f"PyTorch cannot be imported: {error}")

TYPES = {"f32": "float32", "f16": "float16", "bf16": "bfloat16", "f64": "float64", "u8": "uint8"}


def make(operand):
    rows, cols, dtype, lowest = operand.split(",")
    values = torch.rand(int(rows), int(cols)) * (1 - int(lowest)) + int(lowest)
    if dtype == "u8":
        values = values.round()
    return values.to(getattr(torch, TYPES[dtype]))


def main(threads, rounds, before, line, *operands):
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    names = {"torch": torch, "F": torch.nn.functional}
    names.update(zip(string.ascii_lowercase, map(make, operands)))
    torch.set_grad_enabled(bool(before))
    exec(before, names)
    code = compile(line, "composite_rows.c", "exec")
    for i in range(int(rounds) + 1):  # the first is not counted
        start = time.perf_counter()
        exec(code, names)
        if i > 0:
            print(time.perf_counter() - start)


if len(sys.argv) > 1:
    main(*sys.argv[1:])
else:
    print("PyTorch", torch.__version__)

# SPDX-License-Identifier: MIT
# The tests of the composites, each a file with the name of its header.

# loss

# gated

# epilogue

# recurrent

# softmax

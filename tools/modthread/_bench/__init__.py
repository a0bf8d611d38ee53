"""The benchmarks: what programs cost on an emulated board, with and without threads."""

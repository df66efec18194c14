"""PyTorch's functions: the primitives of ops, and what is composed of them, with PyTorch's arguments and errors."""

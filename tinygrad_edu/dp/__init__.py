"""Backpropagation as a dynamic program, in the open: raced, tabulated, explained, printed."""

"""What people write -> numbers, moments and columns.

Pure functions of the answer and of the keys of its source.
"""

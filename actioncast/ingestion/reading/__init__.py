"""What people write -> numbers, moments and columns: pure functions of the answer and the keys of its source"""

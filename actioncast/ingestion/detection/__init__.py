"""Looks at a file or an answer that nobody described: which keys read it, and what only a person knows"""

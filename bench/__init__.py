"""Measure the record evaluator against a hand-written floor and against other engines, on the rules that are shipped and on made-up ones."""

"""Builders: one module a child object, each giving a plain manifest; only planners compose them.

Law: a builder decides nothing. Its output is in the form in which the API server stores it, and in one order.
"""

"""Ringfence turns tenants into fenced namespaces and keeps a record that anyone can verify."""

__version__ = "0.1.0"

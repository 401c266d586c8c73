"""LipWise."""

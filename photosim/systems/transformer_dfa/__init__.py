"""Transformers trained through a scattering medium: direct feedback to every block (wang2026)."""

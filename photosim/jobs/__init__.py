"""Long work in chunks, on one machine or on many, and what is kept of it."""

from photosim.jobs.work import Work, computed

__all__ = ["Work", "computed"]

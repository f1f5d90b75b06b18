"""Long work in chunks, on one machine or on many, and the files that store finished chunks."""

from photosim.jobs.work import Work, computed

__all__ = ["Work", "computed"]

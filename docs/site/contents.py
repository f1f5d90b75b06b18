"""What the site shows, in its order: chapters with their pages, and the path of the notebooks."""

from __future__ import annotations

from collections.abc import Sequence

CHAPTERS: dict[str, tuple[str, Sequence[str]]] = {
    "Start": (
        "From the first S-matrix to the answers that people look for.",
        ("first-steps", "how-to", "explorer", "gallery", "drawings", "migration", "comparison", "missing",
         "glossary"),
    ),
    "Circuits": (
        "Netlists, what a circuit answers, components, layouts and files.",
        ("netlists", "circuits", "notebooks", "conventions", "own-components", "layouts", "pdk",
         "formats"),
    ),
    "Design": (
        "What a designer asks: sweeps, yield, fits, budgets, inverse design.",
        ("sweeps", "metrics", "yield", "fit", "budget", "optimise", "cluster"),
    ),
    "Signals": (
        "Light with noise, in time and with electronics.",
        ("links", "timedomain", "electronics", "figures", "media"),
    ),
    "Learning": (
        "Networks whose hardware is a simulated circuit.",
        ("training", "hardware", "own-training", "meshes", "programmable", "chips",
         "pytorch", "jax"),
    ),
    "How good it is": (
        "photosim beside measurements, closed forms, published systems and the clock.",
        ("systems", "validation", "laws", "speed"),
    ),
}  # fmt: skip
"""Chapters of the site: what each is about, and its pages of docs/ in order."""
LAST = ("components/index", "notebooks/index", "reference/index", "development")
DEVELOPMENT = (
    "README",
    "CONTRIBUTING",
    "docs/architecture",
    "CHANGELOG",
    "RELEASE",
    "SECURITY",
    "CODE_OF_CONDUCT",
)

PATH: dict[str, Sequence[str]] = {
    "First steps": (
        "first_steps", "netlist_from_scratch", "quick_start", "netlists_and_formats", "rings_and_filters",
    ),
    "Designing": (
        "temperature_tuning", "bragg_gratings", "polarisation", "inverse_design", "yield_of_a_ring_filter",
        "filter_for_yield", "fit_a_real_chip", "foundry_file", "layout_to_spectrum", "audit_of_a_design_kit",
        "the_same_on_a_cluster",
    ),
    "Signals": ("time_domain", "wdm_link", "pam4_transmitter", "ring_that_locks_itself", "bias_control"),
    "Learning": (
        "own_data", "weight_bank", "forward_through_a_bank", "learning_in_situ", "two_pass_on_a_mesh",
        "imperfect_mesh", "scattering_media", "scattering_coprocessor", "photonic_layer_in_pytorch",
    ),
    "Your own components": ("declaring_a_component", "laws_of_components"),
}  # fmt: skip
"""The notebooks in the order in which they are read, by chapter."""

NEEDED = {
    "photonic_layer_in_pytorch": ("torch",),
    "the_same_on_a_cluster": ("distributed", "zarr"),
}
"""Packages that a notebook needs beside those of photosim: without them it is shown without outputs."""
